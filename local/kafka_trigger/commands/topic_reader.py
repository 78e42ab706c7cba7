"""Reading a topic at any offsets, outside the group that consumes it."""

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

from local.kafka_trigger.commands.errors import CommandError, Interrupted, UsageError
from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.config.models import Trigger
from local.kafka_trigger.kafka.settings import (
    NO_COORDINATOR,
    NO_LEADER,
    consumer_settings,
    raise_for_errors,
)
from local.kafka_trigger.record import Record, with_readable_headers

MAX_MESSAGES = 500  # of one poll
POLL_S = 0.1
METADATA_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 10.0  # for the broker's answer to any one request
TRANSIENT_ERRORS = NO_COORDINATOR | NO_LEADER
PREFETCH = 10_000  # records of each partition

Answer = TypeVar("Answer")


class OffsetRange(NamedTuple):
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
        """Return the topic's partitions, none if there is no such topic."""
        metadata = self._client.list_topics(self._topic, timeout=METADATA_TIMEOUT_S)
        topic = metadata.topics[self._topic]
        if topic.error and topic.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise KafkaException(topic.error)
        return sorted(topic.partitions)

    def offset_ranges(self, partitions: Sequence[int]) -> dict[int, OffsetRange]:
        """Return the offsets that these partitions have now.

        The ends are those that a fetch reports: a broker may list the first offset of its last
        batch as the latest (Tansu does). What an open transaction has written comes after them.
        """
        listed = {partition: OffsetRange(*self._watermarks(partition)) for partition in partitions}
        first = self._first_messages({partition: each.end for partition, each in listed.items()})
        return {
            partition: OffsetRange(
                listed[partition].start,
                cast(int, message.offset()) if message.error() else self._fetched_end(partition),
            )
            for partition, message in first.items()
        }

    def with_records(self, offsets: Mapping[int, int]) -> set[int]:
        """Return the partitions, of those given, that have a record at their offset or later.

        Offsets without a record are those of transactions, and of what was compacted away.
        """
        first = self._first_messages(offsets)
        return {partition for partition, message in first.items() if not message.error()}

    def _first_messages(self, offsets: Mapping[int, int]) -> dict[int, Message]:
        """Return the first message from each offset on: a record, or the end as an error."""
        self._assign(offsets)
        missing, first = set(offsets), dict[int, Message]()
        for message in self._messages(missing):
            partition = cast(int, message.partition())
            if partition in missing:
                missing.remove(partition)
                first[partition] = message
        return {partition: first[partition] for partition in offsets}

    def _watermarks(self, partition: int) -> tuple[int, int]:
        topic_partition = self._topic_partition(partition)
        return self._retry(
            lambda: self._client.get_watermark_offsets(topic_partition, timeout=REQUEST_TIMEOUT_S)
        )

    def _fetched_end(self, partition: int) -> int:
        return self._client.get_watermark_offsets(self._topic_partition(partition), cached=True)[1]

    def committed(self, partitions: Sequence[int]) -> dict[int, int]:
        """Return the group's committed offsets, without the partitions that have none."""
        wanted = [self._topic_partition(partition) for partition in partitions]
        if not wanted:
            return {}
        found = self._retry(
            lambda: raise_for_errors(self._client.committed(wanted, timeout=REQUEST_TIMEOUT_S))
        )
        return {each.partition: each.offset for each in found if each.offset >= 0}

    def offset_for_time(self, partition: int, time_ms: int) -> int | None:
        """Return where a partition's records of a time begin, or earlier; None after its end.

        The time is in milliseconds since 1970.
        """
        times = [self._topic_partition(partition, time_ms)]
        [found] = self._retry(
            lambda: raise_for_errors(
                self._client.offsets_for_times(times, timeout=REQUEST_TIMEOUT_S)
            )
        )
        return None if found.offset == OFFSET_END else found.offset

    def _retry(self, request: Callable[[], Answer]) -> Answer:
        """Repeat a request until the group has a coordinator and the partition a leader."""
        deadline = time.monotonic() + REQUEST_TIMEOUT_S
        while True:
            try:
                return request()
            except KafkaException as error:
                if error.args[0].code() not in TRANSIENT_ERRORS or time.monotonic() > deadline:
                    raise
            if self._stopping.wait(POLL_S):
                raise Interrupted

    def read(self, ranges: Mapping[int, OffsetRange]) -> Iterator[Record]:
        """Yield the records of these partitions' offsets, in order within each partition.

        The last offsets before an end may have no record: a partition also ends where the
        broker says so.
        """
        ends = {partition: each.end for partition, each in ranges.items() if each.start < each.end}
        self._assign({partition: ranges[partition].start for partition in ends})
        for message in self._messages(ends):
            partition, offset = cast(int, message.partition()), cast(int, message.offset())
            if partition not in ends:
                continue
            end = ends[partition]
            if message.error() or offset >= end - 1:
                del ends[partition]
            if not message.error() and offset < end:
                yield cast(Record, with_readable_headers(message))

    def _assign(self, offsets: Mapping[int, int]) -> None:
        self._client.assign([self._topic_partition(*each) for each in offsets.items()])

    def _messages(self, wanted: set[int] | Mapping[int, int]) -> Iterator[Message]:
        """Yield records, and partitions' ends as errors, until the caller has emptied `wanted`."""
        last_message_at, reason = time.monotonic(), "no answer"
        while wanted:
            if self._stopping.is_set():
                raise Interrupted
            if time.monotonic() - last_message_at > REQUEST_TIMEOUT_S:
                raise CommandError(f"{self._topic}: the broker sends nothing: {reason}")
            for message in self._client.consume(MAX_MESSAGES, POLL_S):
                error = message.error()
                if error and error.code() != KafkaError._PARTITION_EOF:
                    reason = error.str()
                    continue
                yield message
                last_message_at = time.monotonic()

    def _topic_partition(self, partition: int, offset: int = 0) -> TopicPartition:
        return TopicPartition(self._topic, partition, offset)


@contextmanager
def open_reader(
    kafka: Kafka,
    trigger: Trigger,
    topic: str,
    stopping: threading.Event,
    prefetch: int = PREFETCH,
) -> Iterator[TopicReader]:
    """Open a reader of a topic with the trigger's own rights; Kafka's errors become CommandError.

    It fetches about `prefetch` records of each partition before they are asked for.
    """
    errors: list[KafkaError] = []
    settings = {
        "log_level": 2,  # errors are printed as one line instead
        **consumer_settings(kafka, trigger, prefetch),
        "auto.offset.reset": "earliest",
        "error_cb": errors.append,
    }
    try:
        client = Consumer(settings)
    except KafkaException as error:
        raise UsageError(f"[kafka]: {error.args[0].str()}") from error
    try:
        yield TopicReader(client, topic, stopping)
    except KafkaException as error:
        client.poll(0)  # calls error_cb
        causes = [each for each in errors if each.code() != KafkaError._ALL_BROKERS_DOWN]
        cause = causes[0] if causes else error.args[0]
        raise CommandError(f"{topic}: {cause.str()}") from error
    finally:
        client.close()
