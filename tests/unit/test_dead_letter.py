"""Dead letters: whole records, with why."""

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
        """Queue a record, or refuse it at once."""
        end = self.ends.pop(0) if self.ends else None
        if record_bytes(more["key"], more["value"], more["headers"]) > self.limit:
            end = self.too_large
        if isinstance(end, Exception):
            raise end
        self.produced.append({"topic": topic, **more})
        self.reports.append(lambda: on_delivery(end, None))

    def __len__(self) -> int:
        """The records that are under way."""
        return len(self.reports)

    def list_topics(self, timeout: float) -> Any:
        """What the broker says of all topics."""
        assert timeout > 0
        if isinstance(self.topic_error, Exception):
            raise self.topic_error
        there = {"dlq": SimpleNamespace(error=self.topic_error)}
        return SimpleNamespace(topics={} if self.topic_error is NO_TOPIC else there)

    def poll(self, _: float) -> int:
        """Report the end of one record."""
        self.reports.pop(0)()
        return 1


def letter(of: Record, error: str = "HTTP 400: bad") -> DeadLetter:
    """A record that was refused at its second try."""
    return DeadLetter(of, 400, 2, error, "refused")


def written(
    *letters: DeadLetter, ends: list[Any] | None = None, **producer_has: Any
) -> tuple[FakeProducer, list[NotWritten]]:
    """The producer after letters were written, and those that are not safe."""
    producer = FakeProducer(ends or [], **producer_has)
    topic = DeadLetterTopic("dlq", "trigger", cast(Producer, producer), lambda: NOW)
    return producer, topic.write(letters)


@pytest.mark.parametrize("value", [b"value", b"", None])
@pytest.mark.parametrize("key", [b"key", b"\xff", None])
def test_a_dead_letter_is_the_whole_record_and_why(key: bytes | None, value: bytes | None) -> None:
    """Key, value and headers are untouched; its story is added."""
    producer, unsafe = written(letter(record(7, value, key=key, headers=HEADERS, partition=3)))
    assert not unsafe
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


def test_a_record_that_is_a_dead_letter_again_has_one_story() -> None:
    """The new headers replace those of the last time; all else is kept."""
    headers = [("dlq_error", b"old"), ("a", b"1"), ("dlq_time", b"old"), ("dlq_mine", b"2")]
    producer, _ = written(letter(record(headers=headers)))
    names = [name for name, _ in producer.produced[0]["headers"]]
    assert names.count("dlq_error") == names.count("dlq_time") == 1
    assert dict(producer.produced[0]["headers"])["dlq_error"] == "HTTP 400: bad"
    assert names[:2] == ["a", "dlq_mine"]


def test_an_error_without_a_status_and_without_end_fits_into_headers() -> None:
    """A network error has no status, and a long reason is cut."""
    producer, _ = written(DeadLetter(record(), None, 5, "x" * 100_000, "attempts"))
    headers = dict(producer.produced[0]["headers"])
    assert headers["dlq_status"] == "none"
    assert len(headers["dlq_error"]) == 1024


@pytest.mark.parametrize("end", [TIMED_OUT, KafkaException(NOT_ALLOWED), BufferError()])
def test_what_the_broker_does_not_acknowledge_is_not_safe(end: Any) -> None:
    """Of several letters exactly those come back that are to be written again."""
    letters = [letter(record(offset)) for offset in range(3)]
    producer, unsafe = written(*letters, ends=[None, end, None])
    assert [each.letter for each in unsafe] == [letters[1]]
    assert unsafe[0].detail
    assert not producer.reports


def test_each_dead_letter_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With where it was, and why."""
    written(letter(record(7)), letter(record(8)), ends=[None, TIMED_OUT])
    said = [(each.levelname, each.message, each.__dict__["fields"]) for each in caplog.records]
    assert [each[:2] for each in said] == [
        ("ERROR", "dead letter"),
        ("WARNING", "dead letter not written yet"),
    ]
    assert said[0][2]["offset"] == 7
    assert said[0][2]["error"] == "HTTP 400: bad"


def test_without_a_topic_a_dead_letter_is_logged_and_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A trigger that can afford it passes what cannot be taken."""
    assert DeadLetterLog("trigger").write([letter(record(7))]) == []
    assert caplog.records[0].message == "record dropped"


WAYS = [TOO_LARGE, BATCH_TOO_LARGE, KafkaException(TOO_LARGE)]  # of being refused


@pytest.mark.parametrize("too_large", WAYS)
def test_a_letter_that_is_too_large_is_written_without_its_value(too_large: Any) -> None:
    """With the place, the size and the time of its record, and why; its neighbours are whole."""
    large = record(7, b"x" * 2000, key=b"key", headers=HEADERS, timestamp=(1, 5))
    letters = [letter(record(6)), letter(large), letter(record(8))]
    producer, unsafe = written(*letters, limit=1000, too_large=too_large)
    assert not unsafe
    values = [each["value"] for each in producer.produced if each["value"] != b"x" * 2000]
    assert values == [b"{}", b"{}", b""]
    smaller = producer.produced[-1]
    assert (smaller["key"], smaller["headers"][: len(HEADERS)]) == (b"key", HEADERS)
    told = dict(smaller["headers"])
    assert (told["dlq_topic"], told["dlq_partition"], told["dlq_offset"]) == (TOPIC, "0", "7")
    assert told["dlq_error"] == "HTTP 400: bad"
    assert told["dlq_omitted"] == "value"
    assert "arge" in told["dlq_omitted_because"]
    own = sum(len(name) + len(value or b"") for name, value in HEADERS)
    assert (told["dlq_record_bytes"], told["dlq_record_timestamp"]) == (str(2003 + own), "5")


@pytest.mark.parametrize(
    ("more", "omitted", "kept"),
    [
        ({"headers": [("a", b"1"), ("long", b"x" * 2000)]}, "value, long headers", ["a"]),
        ({"headers": [(f"{n}", b"x" * 100) for n in range(20)]}, "value, headers", []),
        ({"key": b"k" * 2000, "headers": [("a", b"1")]}, "value, headers, key", []),
    ],
)
def test_headers_and_key_are_left_out_only_where_they_have_to_be(
    more: dict[str, Any], omitted: str, kept: list[str]
) -> None:
    """The long ones first: the record is known by its place."""
    producer, unsafe = written(letter(record(7, **more)), limit=1000)
    assert not unsafe
    [smaller] = [each for each in producer.produced if ("dlq_omitted", omitted) in each["headers"]]
    names = [name for name, _ in smaller["headers"] if not name.startswith("dlq_")]
    assert (names, smaller["key"]) == (kept, None if "key" in omitted else b"key")


def test_a_letter_that_a_queue_never_has_room_for_is_too_large() -> None:
    """One for which it has no room beside others waits."""
    large = letter(record(7, b"x" * 2000))
    for before, value in (([], b""), ([letter(record(6))], b"{}")):
        producer, unsafe = written(*before, large, limit=1000, too_large=BufferError())
        assert bool(unsafe) is bool(before)
        assert producer.produced[-1]["value"] == value


def test_a_topic_that_takes_nothing_has_no_letter() -> None:
    """It is not safe, and is to be written again."""
    _, unsafe = written(letter(record(7)), limit=10)
    assert [each.letter.record.offset() for each in unsafe] == [7]
    _, unsafe = written(letter(record(7, b"x" * 2000)), limit=1000, ends=[None, TIMED_OUT])
    assert [each.detail for each in unsafe] == [TIMED_OUT.str()]


def test_a_value_left_out_is_no_tombstone_and_a_tombstone_stays_one() -> None:
    """In a compacted topic, one would delete the letters of the same key."""
    headers = [("long", b"x" * 2000)]
    for value in (b"{}", None):
        producer, _ = written(letter(record(7, value, headers=headers)), limit=1000)
        assert producer.produced[-1]["value"] == (None if value is None else b"")


def test_what_an_earlier_letter_left_out_is_not_told_of_a_whole_one() -> None:
    """Whoever brought the record back."""
    producer, _ = written(letter(record(headers=[("dlq_omitted", b"value"), ("a", b"1")])))
    names = [name for name, _ in producer.produced[0]["headers"]]
    assert names[0] == "a"
    assert "dlq_omitted" not in names


def test_the_log_tells_what_was_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """Of a letter that is safe."""
    written(letter(record(7, b"x" * 2000)), limit=1000)
    [said] = caplog.records
    assert said.message == "dead letter"
    assert said.__dict__["fields"]["omitted"] == "value"


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
def test_a_letter_that_is_not_written_has_a_reason(end: Any, topic_error: Any, why: str) -> None:
    """That of the topic, where all that the client says is that time is over."""
    _, [unsafe] = written(letter(record()), ends=[end], topic_error=topic_error)
    assert unsafe.detail == why
