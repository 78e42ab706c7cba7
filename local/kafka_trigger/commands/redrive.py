"""Bringing dead letters home: to the topic and partition that they came from, and marking them."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from local.kafka_trigger.commands.letter import REDRIVEN, Content, Header, Letter
from local.kafka_trigger.commands.problem import Interrupted
from local.kafka_trigger.producer import RecordProducer

GONE = "the record is in its own topic only, and no longer there"
AT_ONCE = 100  # letters that are under way and unmarked; a kill lets so many come home twice
ANY_PARTITION = -1


class End(NamedTuple):
    """What became of a letter: where it is now, or why it is where it was."""

    letter: Letter
    place: str | None
    why: str | None = None


class Redriver:
    """Writes letters back to their topics, and a mark for each beside it in its own.

    The mark is written when the broker has acknowledged the letter: one without it may come home
    twice, none is lost.
    """

    def __init__(
        self,
        topic: str,
        producer: RecordProducer,
        partitions_of: Callable[[str], Sequence[int]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        find: Callable[[Letter], Content | None] = lambda letter: letter.content,
    ) -> None:
        self._topic = topic
        self._producer = producer
        self._partitions_of = partitions_of
        self._find = find
        self._now = now

    def target(self, letter: Letter) -> TopicPartition | None:
        """Where a letter belongs; None if there is no such topic."""
        partitions = self._partitions_of(letter.topic)
        if not partitions:
            return None
        known = letter.partition in partitions
        return TopicPartition(letter.topic, letter.partition if known else ANY_PARTITION)

    def redrive(self, letters: Iterable[Letter], is_stopping: Callable[[], bool]) -> Iterator[End]:
        """Bring letters home, in their order; tells of each when that is certain.

        Raises Interrupted if it is to stop while there are more.
        """
        left = iter(letters)
        while some := list(islice(left, AT_ONCE)):
            if is_stopping():
                raise Interrupted
            yield from self._together(some)

    def _together(self, letters: Sequence[Letter]) -> Iterator[End]:
        ends = self._acknowledged([partial(self._bring_home, each) for each in letters])
        home = [letter for letter, end in zip(letters, ends, strict=True) if not _why(end)]
        marks = [partial(self._mark, letter) for letter in home]
        marked = dict(zip([letter.id for letter in home], self._acknowledged(marks), strict=True))
        for letter, end in zip(letters, ends, strict=True):
            yield _end(letter, end, marked.get(letter.id))

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

    def _bring_home(self, letter: Letter, on_delivery: Callable[..., None]) -> None:
        target = self.target(letter)
        if target is None:
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
        content = self._find(letter)
        if content is None:
            raise KafkaException(KafkaError(KafkaError._NO_OFFSET, GONE))
        whole = replace(letter, content=content)
        self._produce(target, content.key, content.value, whole.headers_at_home(), on_delivery)

    def _mark(self, letter: Letter, on_delivery: Callable[..., None]) -> None:
        """Write what a compacted topic would keep too: a key of its own, and a value."""
        told = {"redriven": letter.id, "time": self._now().isoformat(timespec="milliseconds")}
        place = TopicPartition(self._topic, letter.record.partition())
        key = f"{REDRIVEN} {letter.id}".encode()
        headers: list[Header] = [(REDRIVEN, letter.id)]
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


def _why(end: Message | KafkaError | None) -> str | None:
    return end.str() if isinstance(end, KafkaError) else None


def _end(letter: Letter, home: Message | KafkaError, mark: Message | KafkaError | None) -> End:
    if isinstance(home, KafkaError):
        return End(letter, None, home.str())
    place = f"{home.topic()} {home.partition()}:{home.offset()}"
    if why := _why(mark):
        return End(letter, place, f"it is home, but could not be marked as redriven: {why}")
    return End(letter, place)
