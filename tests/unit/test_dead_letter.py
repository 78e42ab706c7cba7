"""Dead letters: whole records, with the reason."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from local.kafka_trigger.delivering.dead_letter import (
    DeadLetter,
    DeadLetterLog,
    NotWritten,
)
from local.kafka_trigger.delivering.dead_letter_size import record_bytes
from local.kafka_trigger.delivering.dead_letter_topic import DeadLetterTopic
from local.kafka_trigger.record import Record
from tests.support.builders.records import TOPIC, record

NOW = datetime(2022, 12, 18, 15, 36, tzinfo=UTC)
TIMED_OUT = KafkaError(KafkaError._MSG_TIMED_OUT)
TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
BATCH_TOO_LARGE = KafkaError(KafkaError.RECORD_LIST_TOO_LARGE)
NO_TOPIC = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
NOT_ALLOWED = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
HEADERS = [("ce_id", b"1"), ("twice", b"a"), ("twice", b"\xff"), ("null", None)]


@dataclass
class FakeProducer:
    """A producer whose records end as `ends` says, when it is polled.

    Records of more bytes than `limit` end as `too_large` says instead.
    """

    ends: list[KafkaError | Exception | None]
    limit: float = float("inf")
    too_large: KafkaError | Exception = TOO_LARGE
    topic_error: KafkaError | Exception | None = None
    produced: list[dict[str, Any]] = field(default_factory=list)
    reports: list[Callable[[], None]] = field(default_factory=list)

    def produce(self, topic: str, on_delivery: Callable[..., None], **more: Any) -> None:
        """Queue a record, or reject it at once."""
        end = self.ends.pop(0) if self.ends else None
        if record_bytes(more["key"], more["value"], more["headers"]) > self.limit:
            end = self.too_large
        if isinstance(end, Exception):
            raise end
        self.produced.append({"topic": topic, **more})
        self.reports.append(lambda: on_delivery(end, None))

    def __len__(self) -> int:
        """Return the number of records in flight."""
        return len(self.reports)

    def list_topics(self, timeout: float) -> Any:
        """Return the broker's metadata of all topics."""
        assert timeout > 0
        if isinstance(self.topic_error, Exception):
            raise self.topic_error
        there = {"dlq": SimpleNamespace(error=self.topic_error)}
        return SimpleNamespace(topics={} if self.topic_error is NO_TOPIC else there)

    def poll(self, _: float) -> int:
        """Report the result of one record."""
        self.reports.pop(0)()
        return 1


def dead_letter(of: Record, error: str = "HTTP 400: bad") -> DeadLetter:
    """A record that was rejected at its second attempt."""
    return DeadLetter(of, 400, 2, error, "refused")


def written(
    *dead_letters: DeadLetter, ends: list[Any] | None = None, **producer_has: Any
) -> tuple[FakeProducer, list[NotWritten]]:
    """The producer after dead letters were written, and those that are not acknowledged."""
    producer = FakeProducer(ends or [], **producer_has)
    topic = DeadLetterTopic("dlq", "trigger", cast(Producer, producer), lambda: NOW)
    return producer, topic.write(dead_letters)


@pytest.mark.parametrize("value", [b"value", b"", None])
@pytest.mark.parametrize("key", [b"key", b"\xff", None])
def test_a_dead_letter_is_the_whole_record_with_failure_metadata(
    key: bytes | None, value: bytes | None
) -> None:
    """Key, value and headers are unchanged; the metadata are added as headers."""
    producer, unwritten = written(
        dead_letter(record(7, value, key=key, headers=HEADERS, partition=3))
    )
    assert not unwritten
    assert producer.produced == [
        {
            "topic": "dlq",
            "key": key,
            "value": value,
            "headers": [
                *HEADERS,
                ("dlq_topic", TOPIC),
                ("dlq_partition", "3"),
                ("dlq_offset", "7"),
                ("dlq_trigger", "trigger"),
                ("dlq_status", "400"),
                ("dlq_attempts", "2"),
                ("dlq_error", "HTTP 400: bad"),
                ("dlq_time", "2022-12-18T15:36:00.000+00:00"),
            ],
        }
    ]


def test_a_record_that_is_a_dead_letter_again_has_one_set_of_metadata() -> None:
    """The new headers replace the old ones; all others are kept."""
    headers = [("dlq_error", b"old"), ("a", b"1"), ("dlq_time", b"old"), ("dlq_mine", b"2")]
    producer, _ = written(dead_letter(record(headers=headers)))
    names = [name for name, _ in producer.produced[0]["headers"]]
    assert names.count("dlq_error") == names.count("dlq_time") == 1
    assert dict(producer.produced[0]["headers"])["dlq_error"] == "HTTP 400: bad"
    assert names[:2] == ["a", "dlq_mine"]


def test_an_error_may_be_long_and_without_a_status() -> None:
    """A network error has no status, and a long error is cut."""
    producer, _ = written(DeadLetter(record(), None, 5, "x" * 100_000, "attempts"))
    headers = dict(producer.produced[0]["headers"])
    assert headers["dlq_status"] == "none"
    assert len(headers["dlq_error"]) == 1024


@pytest.mark.parametrize("end", [TIMED_OUT, KafkaException(NOT_ALLOWED), BufferError()])
def test_dead_letters_without_acknowledgement_are_returned(end: Any) -> None:
    """Exactly those that are to be written again."""
    dead_letters = [dead_letter(record(offset)) for offset in range(3)]
    producer, unwritten = written(*dead_letters, ends=[None, end, None])
    assert [each.letter for each in unwritten] == [dead_letters[1]]
    assert unwritten[0].detail
    assert not producer.reports


def test_each_dead_letter_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With the record's offset, and the error."""
    written(dead_letter(record(7)), dead_letter(record(8)), ends=[None, TIMED_OUT])
    logged = [(each.levelname, each.message, each.__dict__["fields"]) for each in caplog.records]
    assert [each[:2] for each in logged] == [
        ("ERROR", "dead letter"),
        ("WARNING", "dead letter not written yet"),
    ]
    assert logged[0][2]["offset"] == 7
    assert logged[0][2]["error"] == "HTTP 400: bad"


def test_without_a_topic_a_dead_letter_is_logged_and_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """For triggers that may lose records."""
    assert DeadLetterLog("trigger").write([dead_letter(record(7))]) == []
    assert caplog.records[0].message == "record dropped"


TOO_LARGE_ERRORS = [
    TOO_LARGE,
    BATCH_TOO_LARGE,
    KafkaException(TOO_LARGE),
]  # as the client reports it


@pytest.mark.parametrize("too_large", TOO_LARGE_ERRORS)
def test_a_dead_letter_that_is_too_large_is_written_without_its_value(too_large: Any) -> None:
    """With the offset, size and timestamp of its record, and the cause; others are whole."""
    large = record(7, b"x" * 2000, key=b"key", headers=HEADERS, timestamp=(1, 5))
    dead_letters = [dead_letter(record(6)), dead_letter(large), dead_letter(record(8))]
    producer, unwritten = written(*dead_letters, limit=1000, too_large=too_large)
    assert not unwritten
    values = [each["value"] for each in producer.produced if each["value"] != b"x" * 2000]
    assert values == [b"{}", b"{}", b""]
    smaller = producer.produced[-1]
    assert (smaller["key"], smaller["headers"][: len(HEADERS)]) == (b"key", HEADERS)
    metadata = dict(smaller["headers"])
    assert (metadata["dlq_topic"], metadata["dlq_partition"], metadata["dlq_offset"]) == (
        TOPIC,
        "0",
        "7",
    )
    assert metadata["dlq_error"] == "HTTP 400: bad"
    assert metadata["dlq_omitted"] == "value"
    assert "arge" in metadata["dlq_omitted_because"]
    own = sum(len(name) + len(value or b"") for name, value in HEADERS)
    assert (metadata["dlq_record_bytes"], metadata["dlq_record_timestamp"]) == (
        str(2003 + own),
        "5",
    )


@pytest.mark.parametrize(
    ("more", "omitted", "kept"),
    [
        ({"headers": [("a", b"1"), ("long", b"x" * 2000)]}, "value, long headers", ["a"]),
        ({"headers": [(f"{n}", b"x" * 100) for n in range(20)]}, "value, headers", []),
        ({"key": b"k" * 2000, "headers": [("a", b"1")]}, "value, headers, key", []),
    ],
)
def test_headers_and_key_are_left_out_only_if_necessary(
    more: dict[str, Any], omitted: str, kept: list[str]
) -> None:
    """Long headers first: the record is identified by its offset."""
    producer, unwritten = written(dead_letter(record(7, **more)), limit=1000)
    assert not unwritten
    [smaller] = [each for each in producer.produced if ("dlq_omitted", omitted) in each["headers"]]
    names = [name for name, _ in smaller["headers"] if not name.startswith("dlq_")]
    assert (names, smaller["key"]) == (kept, None if "key" in omitted else b"key")


def test_a_dead_letter_larger_than_the_queue_is_too_large() -> None:
    """But if the queue is not empty, it is written again later."""
    large = dead_letter(record(7, b"x" * 2000))
    for before, value in (([], b""), ([dead_letter(record(6))], b"{}")):
        producer, unwritten = written(*before, large, limit=1000, too_large=BufferError())
        assert bool(unwritten) is bool(before)
        assert producer.produced[-1]["value"] == value


def test_a_dead_letter_that_is_always_too_large_is_returned() -> None:
    """And one that fails for another cause with less of its record."""
    _, unwritten = written(dead_letter(record(7)), limit=10)
    assert [each.letter.record.offset() for each in unwritten] == [7]
    _, unwritten = written(dead_letter(record(7, b"x" * 2000)), limit=1000, ends=[None, TIMED_OUT])
    assert [each.detail for each in unwritten] == [TIMED_OUT.str()]


def test_a_value_left_out_is_no_tombstone_and_a_tombstone_stays_one() -> None:
    """In a compacted topic, a tombstone would delete the dead letters of the same key."""
    headers = [("long", b"x" * 2000)]
    for value in (b"{}", None):
        producer, _ = written(dead_letter(record(7, value, headers=headers)), limit=1000)
        assert producer.produced[-1]["value"] == (None if value is None else b"")


def test_a_whole_dead_letter_has_no_omission_headers() -> None:
    """Not even those of an earlier dead letter of the record."""
    producer, _ = written(dead_letter(record(headers=[("dlq_omitted", b"value"), ("a", b"1")])))
    names = [name for name, _ in producer.produced[0]["headers"]]
    assert names[0] == "a"
    assert "dlq_omitted" not in names


def test_the_log_names_the_omitted_parts(caplog: pytest.LogCaptureFixture) -> None:
    """When the dead letter is written."""
    written(dead_letter(record(7, b"x" * 2000)), limit=1000)
    [logged] = caplog.records
    assert logged.message == "dead letter"
    assert logged.__dict__["fields"]["omitted"] == "value"


AWAY = KafkaError(KafkaError._TRANSPORT)


@pytest.mark.parametrize(
    ("end", "topic_error", "why"),
    [
        (TIMED_OUT, NO_TOPIC, f"{TIMED_OUT.str()}: dlq: {NO_TOPIC.str()}"),
        (TIMED_OUT, KafkaException(AWAY), f"{TIMED_OUT.str()}: dlq: {AWAY.str()}"),
        (TIMED_OUT, NOT_ALLOWED, f"{TIMED_OUT.str()}: dlq: {NOT_ALLOWED.str()}"),
        (TIMED_OUT, None, TIMED_OUT.str()),
        (KafkaException(NOT_ALLOWED), NO_TOPIC, NOT_ALLOWED.str()),
    ],
)
def test_a_dead_letter_that_is_not_written_has_a_detail(
    end: Any, topic_error: Any, why: str
) -> None:
    """The topic's error, where the client reports only a time-out."""
    _, [unwritten] = written(dead_letter(record()), ends=[end], topic_error=topic_error)
    assert unwritten.detail == why
