"""Marks in a dead-letter topic: what became of a letter, written beside it."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from local.kafka_trigger.commands.dead_letter import ClosedState, StoredDeadLetter
from local.kafka_trigger.commands.errors import Interrupted
from local.kafka_trigger.delivering.dead_letter import PREFIX
from local.kafka_trigger.delivering.dead_letter_size import Header
from local.kafka_trigger.kafka.producer import RecordProducer

AT_ONCE = 100  # letters that are under way and unmarked; a kill lets so many come home twice


class End(NamedTuple):
    """What became of a letter: where it is now, or why it is where it was."""

    letter: StoredDeadLetter
    place: str | None
    why: str | None = None


class MarkWriter:
    """Writes marks, and other records, and waits until the broker has acknowledged them."""

    def __init__(
        self,
        topic: str,
        producer: RecordProducer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._topic = topic
        self._producer = producer
        self._now = now

    def _parts(
        self, letters: Iterable[StoredDeadLetter], is_stopping: Callable[[], bool]
    ) -> Iterator[list[StoredDeadLetter]]:
        """As many letters at a time as may be under way; Interrupted if it is to stop."""
        left = iter(letters)
        while some := list(islice(left, AT_ONCE)):
            if is_stopping():
                raise Interrupted
            yield some

    def _mark(
        self, letters: Sequence[StoredDeadLetter], state: ClosedState
    ) -> dict[str, Message | KafkaError]:
        """Mark letters; returns by the id of each what the broker said."""
        marks = [partial(self._write_mark, letter, state) for letter in letters]
        ids = [letter.id for letter in letters]
        return dict(zip(ids, self._acknowledged(marks), strict=True))

    def _acknowledged(
        self, writes: Sequence[Callable[[Callable[..., None]], None]]
    ) -> list[Message | KafkaError]:
        """Make writes, and wait until the broker has acknowledged or refused each."""
        ends: dict[int, Message | KafkaError] = {}

        def end(number: int, error: KafkaError | None, message: Message) -> None:
            ends[number] = error or message

        for number, write in enumerate(writes):
            try:
                self._begin(partial(write, partial(end, number)))
            except KafkaException as error:
                ends[number] = error.args[0]
            except BufferError:  # larger than the queue
                ends[number] = KafkaError(KafkaError._QUEUE_FULL)
        self._producer.flush()
        return [ends[number] for number in range(len(writes))]

    def _begin(self, write: Callable[[], None]) -> None:
        """Make a write; if the producer's queue is full, what is in it goes first."""
        try:
            write()
        except BufferError:
            self._producer.flush()
            write()

    def _write_mark(
        self, letter: StoredDeadLetter, state: ClosedState, on_delivery: Callable[..., None]
    ) -> None:
        """Write what a compacted topic would keep too: a key of its own, and a value."""
        told = {state: letter.id, "time": self._now().isoformat(timespec="milliseconds")}
        place = TopicPartition(self._topic, letter.record.partition())
        key = f"{PREFIX}{state} {letter.id}".encode()
        headers: list[Header] = [(f"{PREFIX}{state}", letter.id)]
        self._produce(place, key, json.dumps(told).encode(), headers, on_delivery)

    def _produce(
        self,
        place: TopicPartition,
        key: bytes | None,
        value: bytes | None,
        headers: list[Header],
        on_delivery: Callable[..., None],
    ) -> None:
        self._producer.produce(
            place.topic,
            key=key,
            value=value,
            headers=headers,
            partition=place.partition,
            on_delivery=on_delivery,
        )


def why_not(end: Message | KafkaError | None) -> str | None:
    """Why something was not written; None if it was."""
    return end.str() if isinstance(end, KafkaError) else None
