"""Dead letters: whole records, with why."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from local.kafka_trigger.dead_letter import DeadLetter, DeadLetterLog, DeadLetterTopic
from local.kafka_trigger.record import Record
from tests.records import TOPIC, record

NOW = datetime(2022, 12, 18, 15, 36, tzinfo=UTC)
TIMED_OUT = KafkaError(KafkaError._MSG_TIMED_OUT)
HEADERS = [("ce_id", b"1"), ("twice", b"a"), ("twice", b"\xff"), ("null", None)]


@dataclass
class FakeProducer:
    """A producer whose records end as `ends` says, when it is polled."""

    ends: list[KafkaError | Exception | None]
    produced: list[dict[str, Any]] = field(default_factory=list)
    reports: list[Callable[[], None]] = field(default_factory=list)

    def produce(self, topic: str, on_delivery: Callable[..., None], **more: Any) -> None:
        """Queue a record, or refuse it at once."""
        end = self.ends.pop(0) if self.ends else None
        if isinstance(end, Exception):
            raise end
        self.produced.append({"topic": topic, **more})
        self.reports.append(lambda: on_delivery(end, None))

    def poll(self, _: float) -> int:
        """Report the end of one record."""
        self.reports.pop(0)()
        return 1


def letter(of: Record, error: str = "HTTP 400: bad") -> DeadLetter:
    """A record that was refused at its second try."""
    return DeadLetter(of, 400, 2, error, "refused")


def written(*letters: DeadLetter, ends: list[Any] | None = None) -> tuple[FakeProducer, list[Any]]:
    """The producer after letters were written, and those that are not safe."""
    producer = FakeProducer(ends or [])
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


@pytest.mark.parametrize(
    "end", [TIMED_OUT, KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)), BufferError()]
)
def test_what_the_broker_does_not_acknowledge_is_not_safe(end: Any) -> None:
    """Of several letters exactly those come back that are to be written again."""
    letters = [letter(record(offset)) for offset in range(3)]
    producer, unsafe = written(*letters, ends=[None, end, None])
    assert unsafe == [letters[1]]
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
