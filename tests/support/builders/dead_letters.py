"""Dead letters and a producer for tests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from local.kafka_trigger.commands.dead_letter import ClosedState
from local.kafka_trigger.delivering.dead_letter import DeadLetter, dead_letter_headers
from local.kafka_trigger.record import Record
from tests.support.builders.records import record

NOW = datetime(2022, 12, 18, 15, 36, tzinfo=UTC)
OWN = [("a", b"1"), ("a", b"2"), ("dlq_mine", b"3"), ("null", None)]
REFUSED = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)


def buried(offset: int, at: int, trigger: str = "one", **of: Any) -> Record:
    """The dead letter, at this offset of its topic, of the record that had that offset."""
    original = record(offset, **{"headers": OWN, "partition": 2, **of})
    letter = DeadLetter(original, 422, 1, "why", "refused")
    headers = [
        (name, value.encode() if isinstance(value, str) else value)
        for name, value in dead_letter_headers(letter, trigger, NOW)
    ]
    return record(at, original.value(), key=original.key(), headers=headers)


def mark(of: str, state: ClosedState = "redriven") -> Record:
    """The mark of a letter."""
    return record(99, headers=[(f"dlq_{state}", of.encode())])


@dataclass
class FakeProducer:
    """A producer that acknowledges all but what `refuses` says, at its flush.

    It keeps what was written, unless told otherwise.
    """

    refuses: Callable[[dict[str, Any]], bool] = lambda _: False
    at_once: bool = False
    keeps: bool = True
    written: list[dict[str, Any]] = field(default_factory=list)
    reports: list[Callable[[], None]] = field(default_factory=list)

    def produce(self, topic: str, on_delivery: Callable[..., None], **more: Any) -> None:
        """Queue a record, or refuse it at once."""
        write = {"topic": topic, **more}
        if self.refuses(write):
            if self.at_once:
                raise KafkaException(REFUSED)
            self.reports.append(lambda: on_delivery(REFUSED, None))
            return
        if self.keeps:
            self.written.append(write)
        place = record(len(self.written) - 1, partition=more["partition"])
        self.reports.append(lambda: on_delivery(None, place))

    def flush(self) -> int:
        """Report all."""
        while self.reports:
            self.reports.pop(0)()
        return 0
