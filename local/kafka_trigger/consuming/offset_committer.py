"""Commits the offsets of what a trigger's partitions have processed."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from local.kafka_trigger.kafka.consumer_client import CommitResult, ConsumerClient
from local.kafka_trigger.kafka.settings import raise_for_errors

COMMIT_EVERY_S = 0.05
RETRY_AFTER_S = 1.0
POLL_S = 0.01
REQUEST_TIMEOUT_S = 10.0

log = logging.getLogger(__name__)


class OffsetCommitter:
    """Commits for each partition the offset before which all is processed.

    Used by the thread that polls: there the client reports the results of asynchronous commits.
    """

    def __init__(
        self,
        client: ConsumerClient,
        trigger: str,
        topic: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client: Consumer = client.consumer
        self._results: deque[CommitResult] = client.commit_results
        self._trigger = trigger
        self._topic = topic
        self._clock = clock
        self._requested: dict[int, int] = {}
        self._in_flight = 0
        self._next_at = clock()

    def commit_start(self, partitions: Iterable[int]) -> None:
        """Commit the end of those partitions of which the group has no offset, and wait for it.

        For a group that starts at `latest`: else, if it processes no record before the next
        rebalance, the next owner would start at a later end. Raises KafkaException.
        """
        assigned = [TopicPartition(self._topic, partition) for partition in partitions]
        committed = raise_for_errors(self._client.committed(assigned, REQUEST_TIMEOUT_S))
        ends = {
            each.partition: self._client.get_watermark_offsets(each, REQUEST_TIMEOUT_S)[1]
            for each in committed
            if each.offset == OFFSET_INVALID
        }
        if ends:
            offsets = self._topic_partitions(ends)
            raise_for_errors(self._client.commit(offsets=offsets, asynchronous=False))

    def due(self, offsets: Mapping[int, int | None]) -> dict[int, int]:
        """Return those of the partitions' offsets that no commit was requested for."""
        self._handle_results()
        return {
            partition: offset
            for partition, offset in offsets.items()
            if offset is not None and offset != self._requested.get(partition)
        }

    def request(self, offsets: Mapping[int, int | None]) -> None:
        """Commit the offsets that are due, without waiting, unless the last commit is too recent.

        One commit at a time: the client retries after a broker was unavailable, and of two commits
        in flight the older one might succeed last.
        """
        due = self.due(offsets)
        if due and not self._in_flight and self._clock() >= self._next_at:
            self._next_at = self._clock() + COMMIT_EVERY_S
            self._requested |= due
            self._send(due)

    def forget(self, partitions: Iterable[int]) -> None:
        """Forget what was requested for partitions, since it failed or they are revoked."""
        for partition in partitions:
            self._requested.pop(partition, None)

    def commit_now(self, offsets: Mapping[int, int]) -> None:
        """Commit offsets and wait for it, from within a rebalance."""
        if not offsets:
            return
        try:
            self._client.commit(offsets=self._topic_partitions(offsets), asynchronous=False)
        except KafkaException as error:
            self._log_failure(error.args[0])

    def commit_last(self, offsets: Mapping[int, int], timeout_s: float) -> None:
        """Commit offsets once the commit in flight has ended; waits for both, up to a timeout."""
        deadline = self._clock() + timeout_s
        self._wait_for_result(deadline)
        if offsets:
            self._send(offsets)
            self._wait_for_result(deadline)

    def _wait_for_result(self, deadline: float) -> None:
        self._handle_results()
        while self._in_flight and self._clock() < deadline:
            self._client.consume(1, POLL_S)
            self._handle_results()

    def _send(self, offsets: Mapping[int, int]) -> None:
        topic_partitions = self._topic_partitions(offsets)
        self._in_flight += 1
        try:
            self._client.commit(offsets=topic_partitions, asynchronous=True)
        except KafkaException as error:
            self._handle_result(error.args[0], topic_partitions)

    def _handle_results(self) -> None:
        while self._results:
            self._handle_result(*self._results.popleft())

    def _handle_result(
        self, error: KafkaError | None, topic_partitions: Iterable[TopicPartition]
    ) -> None:
        """Count a commit as ended; what failed is due again, a little later."""
        self._in_flight -= 1
        failed = [each for each in topic_partitions if error or each.error]
        if failed:
            self._next_at = self._clock() + RETRY_AFTER_S
            self._log_failure(error or failed[0].error)
        self.forget(each.partition for each in failed)

    def _topic_partitions(self, offsets: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, *each) for each in offsets.items()]

    def _log_failure(self, error: KafkaError | None) -> None:
        fields = {"trigger": self._trigger, "error": error.str() if error else None}
        log.warning("commit failed", extra={"fields": fields})
