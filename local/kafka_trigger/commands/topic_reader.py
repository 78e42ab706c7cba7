"""Reading a topic from where one likes, beside the group that consumes it."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar, cast

from confluent_kafka import (
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from local.kafka_trigger.commands.errors import Interrupted, Problem
from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.config.models import Trigger
from local.kafka_trigger.kafka.settings import (
    NO_COORDINATOR,
    NO_LEADER,
    consumer_settings,
    raise_for_errors,
)
from local.kafka_trigger.record import Record, with_readable_headers

AT_ONCE = 500
POLL_S = 0.1
REACHED_WITHIN_S = 5.0
ANSWERS_WITHIN_S = 10.0  # the broker, to any one question
PASSING = NO_COORDINATOR | NO_LEADER
FETCHES_AHEAD = 10_000

Told = TypeVar("Told")


class Span(NamedTuple):
    """Offsets of a partition, from `start` to before `end`."""

    start: int
    end: int


class TopicReader:
    """Reads a topic; joins no group, and commits nothing."""

    def __init__(self, client: Consumer, topic: str, stopping: threading.Event) -> None:
        self._client = client
        self._topic = topic
        self._stopping = stopping

    def partitions(self) -> list[int]:
        """The topic's partitions; none if there is no such topic."""
        found = self._client.list_topics(self._topic, timeout=REACHED_WITHIN_S)
        topic = found.topics[self._topic]
        if topic.error and topic.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise KafkaException(topic.error)
        return sorted(topic.partitions)

    def spans(self, numbers: Sequence[int]) -> dict[int, Span]:
        """All that is in these partitions now.

        The ends are those that a fetch tells: a broker may list the first offset of its last
        batch as the latest (Tansu does). What an open transaction has written comes after them.
        """
        listed = {number: Span(*self._listed(number)) for number in numbers}
        met = self._first_events({number: span.end for number, span in listed.items()})
        return {
            number: Span(
                listed[number].start,
                cast(int, first.offset()) if first.error() else self._fetched_end(number),
            )
            for number, first in met.items()
        }

    def have_records(self, offsets: Mapping[int, int]) -> set[int]:
        """Those of partitions that have a record at these offsets or later.

        Offsets may have none: those of transactions, and what was compacted away.
        """
        met = self._first_events(offsets)
        return {number for number, first in met.items() if not first.error()}

    def _first_events(self, offsets: Mapping[int, int]) -> dict[int, Message]:
        """What is met first at each partition's offset: a record, or as an error its end."""
        self._assign(offsets)
        unseen, met = set(offsets), dict[int, Message]()
        for message in self._events(unseen):
            number = cast(int, message.partition())
            if number in unseen:
                unseen.remove(number)
                met[number] = message
        return {number: met[number] for number in offsets}

    def _listed(self, number: int) -> tuple[int, int]:
        place = self._place(number)
        return self._told(
            lambda: self._client.get_watermark_offsets(place, timeout=ANSWERS_WITHIN_S)
        )

    def _fetched_end(self, number: int) -> int:
        return self._client.get_watermark_offsets(self._place(number), cached=True)[1]

    def committed(self, numbers: Sequence[int]) -> dict[int, int]:
        """The offsets that the trigger's group has committed; what it has not is left out."""
        places = [self._place(number) for number in numbers]
        if not places:
            return {}
        told = self._told(
            lambda: raise_for_errors(self._client.committed(places, timeout=ANSWERS_WITHIN_S))
        )
        return {place.partition: place.offset for place in told if place.offset >= 0}

    def _told(self, ask: Callable[[], Told]) -> Told:
        """What the brokers answer, as soon as one coordinates the group and leads the partition."""
        deadline = time.monotonic() + ANSWERS_WITHIN_S
        while True:
            try:
                return ask()
            except KafkaException as error:
                if error.args[0].code() not in PASSING or time.monotonic() > deadline:
                    raise
            if self._stopping.wait(POLL_S):
                raise Interrupted

    def offset_at(self, number: int, milliseconds: int) -> int | None:
        """Where a partition's records of a time begin, or somewhat before; None beyond its end."""
        times = [self._place(number, milliseconds)]
        [place] = self._told(
            lambda: raise_for_errors(
                self._client.offsets_for_times(times, timeout=ANSWERS_WITHIN_S)
            )
        )
        return None if place.offset == OFFSET_END else place.offset

    def read(self, spans: Mapping[int, Span]) -> Iterator[Record]:
        """The records of these spans, in order within each partition.

        The last offsets before an end may have no record: a partition also ends where the
        broker says so.
        """
        left = {number: span.end for number, span in spans.items() if span.start < span.end}
        self._assign({number: spans[number].start for number in left})
        for message in self._events(left):
            number, offset = cast(int, message.partition()), cast(int, message.offset())
            if number not in left:
                continue
            end = left[number]
            if message.error() or offset >= end - 1:
                del left[number]
            if not message.error() and offset < end:
                yield cast(Record, with_readable_headers(message))

    def _assign(self, offsets: Mapping[int, int]) -> None:
        self._client.assign([self._place(*each) for each in offsets.items()])

    def _events(self, wanted: set[int] | Mapping[int, int]) -> Iterator[Message]:
        """Records, and partitions' ends as messages with an error, while something is wanted."""
        silent_since, why = time.monotonic(), "no answer"
        while wanted:
            if self._stopping.is_set():
                raise Interrupted
            if time.monotonic() - silent_since > ANSWERS_WITHIN_S:
                raise Problem(f"{self._topic}: the broker sends nothing: {why}")
            for message in self._client.consume(AT_ONCE, POLL_S):
                error = message.error()
                if error and error.code() != KafkaError._PARTITION_EOF:
                    why = error.str()
                    continue
                yield message
                silent_since = time.monotonic()

    def _place(self, number: int, offset: int = 0) -> TopicPartition:
        return TopicPartition(self._topic, number, offset)


@contextmanager
def reading(
    kafka: Kafka,
    trigger: Trigger,
    topic: str,
    stopping: threading.Event,
    ahead: int = FETCHES_AHEAD,
) -> Iterator[TopicReader]:
    """A reader of a topic, with the trigger's own rights; raises Problem for all of Kafka's.

    It fetches about `ahead` records of each partition before they are asked for.
    """
    errors: list[KafkaError] = []
    settings = {
        "log_level": 2,  # the errors are told, in a line
        **consumer_settings(kafka, trigger, ahead),
        "auto.offset.reset": "earliest",
        "error_cb": errors.append,
    }
    try:
        client = Consumer(settings)
    except KafkaException as error:
        raise Problem(f"[kafka]: {error.args[0].str()}", 2) from error
    try:
        yield TopicReader(client, topic, stopping)
    except KafkaException as error:
        client.poll(0)  # calls error_cb back
        why = next((each for each in errors if each.code() != KafkaError._ALL_BROKERS_DOWN), None)
        raise Problem(f"{topic}: {(why or error.args[0]).str()}") from error
    finally:
        client.close()
