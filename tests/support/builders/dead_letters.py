"""Dead letters as records of their topic, and a producer that redrives them, for tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Producer

from local.kafka_trigger.commands.dead_letters.index import DeadLetterIndex
from local.kafka_trigger.commands.dead_letters.markers import Resolution
from local.kafka_trigger.commands.dead_letters.redrive import Redriver
from local.kafka_trigger.commands.dead_letters.stored_dead_letter import (
    RecordContent,
    StoredDeadLetter,
)
from local.kafka_trigger.commands.topic_reader import OffsetRange
from local.kafka_trigger.delivering.dead_letter import DeadLetter, dead_letter_headers
from local.kafka_trigger.delivering.dead_letter_size import WHOLE, DeadLetterSize
from local.kafka_trigger.record import Record
from tests.support.builders.records import TOPIC, record

NOW = datetime(2022, 12, 18, 15, 36, tzinfo=UTC)
ORIGINAL_HEADERS = [("a", b"1"), ("a", b"2"), ("dlq_mine", b"3"), ("null", None)]
TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
DLQ_TOPIC = "dlq"


def dead_letter_record(offset: int, dlq_offset: int, trigger: str = "one", **more: Any) -> Record:
    """A dead letter at one offset of its topic, for a record at another offset of partition 2."""
    original = record(offset, **{"headers": ORIGINAL_HEADERS, "partition": 2, **more})
    return dead_letter_of(original, dlq_offset, trigger)


def dead_letter_of(
    original: Record, dlq_offset: int, trigger: str = "one", size: DeadLetterSize = WHOLE
) -> Record:
    """The dead letter of a record; with a `size`, of one that was too large for the topic."""
    because = None if size is WHOLE else TOO_LARGE
    dead_letter = DeadLetter(original, 422, 1, "why", "refused")
    headers = [
        (name, value.encode() if isinstance(value, str) else value)
        for name, value in dead_letter_headers(dead_letter, trigger, NOW, size, because)
    ]
    value, key = size.value_of(original), size.key_of(original)
    return record(dlq_offset, value, key=key, headers=headers)


def marker(dead_letter_id: str, resolution: Resolution = "redriven") -> Record:
    """The marker of a dead letter."""
    return record(99, headers=[(f"dlq_{resolution}", dead_letter_id.encode())])


def index_of(*records: Record, topic: str = TOPIC) -> DeadLetterIndex:
    """The index of a dead-letter topic with these records, for trigger `one` of a topic."""
    return DeadLetterIndex({0: OffsetRange(0, 10_000)}, lambda: records, "one", topic)


@dataclass
class FakeProducer:
    """A producer that acknowledges all at its flush, except what `refuses` names.

    It keeps the records that it produced; with `raises` it refuses before the flush.
    """

    refuses: Callable[[dict[str, Any]], bool] = lambda _: False
    raises: bool = False
    keeps: bool = True
    written: list[dict[str, Any]] = field(default_factory=list)
    callbacks: list[Callable[[], None]] = field(default_factory=list)

    def produce(self, topic: str, on_delivery: Callable[..., None], **more: Any) -> None:
        """Queue a record, or refuse it at once."""
        write = {"topic": topic, **more}
        if self.refuses(write):
            if self.raises:
                raise KafkaException(TOO_LARGE)
            self.callbacks.append(lambda: on_delivery(TOO_LARGE, None))
            return
        if self.keeps:
            self.written.append(write)
        message = record(len(self.written) - 1, partition=more["partition"])
        self.callbacks.append(lambda: on_delivery(None, message))

    def flush(self) -> int:
        """Call all callbacks."""
        while self.callbacks:
            self.callbacks.pop(0)()
        return 0


def redriver_of(
    producer: FakeProducer,
    partitions: Sequence[int] = (0, 1, 2),
    find_original: Callable[[StoredDeadLetter], RecordContent | None] = lambda each: each.original,
) -> Redriver:
    """A redriver that writes with this producer, to topics of these partitions."""
    return Redriver(
        DLQ_TOPIC, cast(Producer, producer), lambda _: partitions, find_original, lambda: NOW
    )
