"""Tracks why a trigger cannot read its topic, or a partition of it."""

import time
from collections.abc import Callable, Iterable

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

CHECK_EVERY_S = 5.0
REQUEST_TIMEOUT_S = 1.0  # the thread that polls waits for it
GROUP_ERRORS = {KafkaError.GROUP_AUTHORIZATION_FAILED}
LASTING_ERRORS = GROUP_ERRORS | {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_EXCEPTION,
    KafkaError.UNKNOWN_TOPIC_ID,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
}


class ReadErrorTracker:
    """Keeps errors that do not pass by themselves, by partition; those of all by None.

    The client reports an error once, and never that it is over: that follows from a record, an
    assignment, or a request to the broker. Used by the thread that polls. `errors` are the
    reasons, for other threads to read.
    """

    def __init__(
        self, client: Consumer, topic: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.errors: dict[int | None, str] = {}
        self._client = client
        self._topic = topic
        self._clock = clock
        self._is_group_error = False
        self._next_at = 0.0

    def record_error(self, partition: int | None, error: KafkaError) -> None:
        """Keep an error, if it is a lasting one."""
        if error.code() in LASTING_ERRORS:
            self.errors[partition] = f"{self._topic} cannot be read: {error.str()}"
            self._is_group_error = partition is None and error.code() in GROUP_ERRORS
            self._next_at = self._clock() + CHECK_EVERY_S

    def record_read(self, partition: int) -> None:
        """Drop the error of a partition that could be read."""
        self.errors.pop(partition, None)

    def record_assignment(self, partitions: Iterable[int]) -> None:
        """Drop the error of all: the group admits us, and with partitions there is a topic."""
        if self._is_group_error or list(partitions):
            self.errors.pop(None, None)

    def forget(self, partitions: Iterable[int]) -> None:
        """Forget partitions that are revoked."""
        for partition in partitions:
            self.errors.pop(partition, None)

    def check(self, committable: Callable[[int], int | None]) -> None:
        """Ask the broker every few seconds whether errors are over.

        `committable` returns the offset before which all of a partition is processed.
        """
        if not self.errors or self._clock() < self._next_at:
            return
        self._next_at = self._clock() + CHECK_EVERY_S
        for partition in list(self.errors):
            try:
                is_over = (
                    self._topic_exists()
                    if partition is None
                    else self._is_at_end(partition, committable(partition))
                )
            except KafkaException:
                continue
            if is_over:
                del self.errors[partition]

    def _topic_exists(self) -> bool:
        if self._is_group_error:
            return False
        topics = self._client.list_topics(self._topic, timeout=REQUEST_TIMEOUT_S).topics
        return self._topic in topics and not topics[self._topic].error

    def _is_at_end(self, partition: int, committable: int | None) -> bool:
        """Whether a partition has no further record; if it has, its arrival ends the error."""
        topic_partition = TopicPartition(self._topic, partition)
        start, end = self._client.get_watermark_offsets(topic_partition, timeout=REQUEST_TIMEOUT_S)
        return end <= max(start, committable or 0)
