"""A trigger's consumer: a thread that never stops polling, however slow the function is."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from local.kafka_trigger.config.models import Trigger
from local.kafka_trigger.consuming.assignment import Assignment
from local.kafka_trigger.consuming.back_pressure import BackPressure
from local.kafka_trigger.consuming.group_monitor import GroupMonitor
from local.kafka_trigger.consuming.offset_committer import OffsetCommitter
from local.kafka_trigger.consuming.partition_worker import PartitionWorker
from local.kafka_trigger.consuming.read_error_tracker import ReadErrorTracker
from local.kafka_trigger.consuming.trigger_state import TriggerState
from local.kafka_trigger.kafka.consumer_client import ConsumerClient
from local.kafka_trigger.kafka.settings import NO_COORDINATOR
from local.kafka_trigger.record import Record, with_readable_headers

MAX_POLLED = 1000  # records
IDLE_S = 0.1  # how late a stop may be noticed
BUSY_S = 0.01  # how late a paused partition may be resumed, or offsets committed
COMMIT_TIMEOUT_S = 60.0  # librdkafka's own, for a commit that is waited for
LAST_COMMIT_TIMEOUT_S = 3.0
JOIN_TIMEOUT_S = 4.0
LEAVE_TIMEOUT_S = 3.0
REJOIN_AFTER_S = 30.0  # after partitions were lost, and none assigned

log = logging.getLogger(__name__)


class TriggerConsumer:
    """Reads a trigger's topic, passes records to partition workers, and commits their offsets.

    The client is only used by the thread that calls `run`, which also runs its callbacks; so
    nothing here needs a lock. `state` is for other threads to read.
    """

    def __init__(
        self,
        trigger: Trigger,
        client: ConsumerClient,
        make_worker: Callable[[int], PartitionWorker],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._trigger = trigger
        self._client = client
        self._consumer = client.consumer
        self._clock = clock
        self._read_errors = ReadErrorTracker(client.consumer, trigger.topic, clock)
        self.state = TriggerState(trigger.name, clock, self._read_errors.errors)
        self._assignment = Assignment(self.state, make_worker, clock)
        self._committer = OffsetCommitter(client, trigger.name, trigger.topic, clock)
        self._back_pressure = BackPressure(client.consumer, trigger.topic, self.state.paused, clock)
        self._group_monitor = GroupMonitor(client, self.state, trigger.topic, clock)
        self._is_joining = True
        self._must_rejoin = False
        self._rejoin_at = float("inf")
        self._is_finishing = False

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set; then finish what is in flight, commit, and leave the group.

        Raises the error that ended a worker, or KafkaException or BrokersUnknown when the client
        cannot go on.
        """
        self._group_monitor.expect_join()
        self._join()
        try:
            while not stopping.is_set():
                self._run_round()
        finally:
            self._finish()

    def _join(self) -> None:
        self._is_joining = True
        self._consumer.subscribe(
            [self._trigger.topic],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def _run_round(self) -> None:
        """Poll, enqueue the records, pause or resume partitions, and commit."""
        self.state.begin_round()
        self._handle(self._poll())
        workers = self.state.workers.values()
        self._back_pressure.apply({each.partition: each.queue for each in workers})
        self._committer.request(self._assignment.committable())
        self._group_monitor.update()
        self._read_errors.check(lambda partition: self._assignment.committable().get(partition))
        self._client.brokers.check()
        self._client.after_poll()
        if self._must_rejoin or self._clock() >= self._rejoin_at:
            self._rejoin()
        self._assignment.raise_failure()

    def _poll(self) -> list[Message]:
        """Wait for one record, then take all that are ready: `consume` would wait for many."""
        is_busy = self.state.paused or self._committer.due(self._assignment.committable())
        messages = self._consumer.consume(1, BUSY_S if is_busy else IDLE_S)
        return messages + self._consumer.consume(MAX_POLLED, 0) if messages else []

    def _handle(self, messages: list[Message]) -> None:
        """Enqueue the records, and only then handle the ends of partitions behind them."""
        records = [with_readable_headers(each) for each in messages if each.error() is None]
        for partition, group in groupby(records, lambda each: cast(int, each.partition())):
            if partition in self._assignment:
                self._read_errors.record_read(partition)
                self._assignment.enqueue(partition, cast(list[Record], list(group)))
        for message in messages:
            if error := message.error():
                self._handle_error(error, message)

    def _handle_error(self, error: KafkaError, message: Message) -> None:
        partition = cast(int, message.partition())
        if error.fatal():
            raise KafkaException(error)
        if error.code() == KafkaError._PARTITION_EOF:
            if partition in self._assignment:
                self.state.offsets.record_end(partition, cast(int, message.offset()))
                self._read_errors.record_read(partition)
            return
        # An error of no partition has partition 0, and no offset.
        self._read_errors.record_error(None if message.offset() is None else partition, error)
        self._log(logging.WARNING, "Kafka reports an error", error=error.str())
        # After this error, librdkafka 2.16 does not ask again for the offset where a partition
        # begins, and would never read the partitions that it has just been assigned.
        if error.code() in NO_COORDINATOR and not self._is_joining:
            self._rejoin()

    def _rejoin(self) -> None:
        self._must_rejoin = False
        self._rejoin_at = float("inf")
        self._consumer.unsubscribe()  # its partitions are revoked, as in any rebalance
        self._join()

    def _on_assign(self, _: Consumer, assigned: list[TopicPartition]) -> None:
        self._is_joining = False
        self._rejoin_at = float("inf")
        if self._is_finishing:
            return
        partitions = _partitions(assigned)
        self.state.is_member = True
        self._read_errors.record_assignment(partitions)
        if self._trigger.auto_offset_reset == "latest" and not self._commit_start(partitions):
            return
        self._assignment.add(partitions)
        self._log_rebalance(logging.INFO, "partitions assigned", partitions)

    def _commit_start(self, partitions: list[int]) -> bool:
        """Whether the group has an offset of each partition; without, none of them is read."""
        self.state.begin_round(COMMIT_TIMEOUT_S)
        try:
            self._committer.commit_start(partitions)
        except KafkaException as error:
            self._must_rejoin = True
            self._read_errors.record_error(None, error.args[0])
            self._log(logging.WARNING, "no offset to begin at", error=error.args[0].str())
        return not self._must_rejoin

    def _on_revoke(self, _: Consumer, revoked: list[TopicPartition]) -> None:
        self._is_joining = True
        self.state.begin_round(self._trigger.drain_s + COMMIT_TIMEOUT_S)
        self._committer.commit_now(self._release(_partitions(revoked), self._trigger.drain_s))
        self._log_rebalance(logging.INFO, "partitions revoked", _partitions(revoked))

    def _on_lost(self, _: Consumer, lost: list[TopicPartition]) -> None:
        """Others may own the partitions already: do not wait, and commit nothing."""
        self._is_joining = True
        self.state.is_member = False
        self._group_monitor.expect_join()
        # librdkafka 2.16 was seen not to join again, with Kafka 4's group protocol under load.
        self._rejoin_at = self._clock() + REJOIN_AFTER_S
        self._release(_partitions(lost), 0)
        self._log_rebalance(logging.WARNING, "partitions lost", _partitions(lost))

    def _release(self, partitions: Iterable[int], drain_s: float) -> dict[int, int]:
        """Stop partitions; returns the offsets to commit."""
        committable = self._assignment.release(partitions, drain_s)
        for component in (self._committer, self._back_pressure, self._read_errors):
            component.forget(committable.keys())
        return {each: offset for each, offset in committable.items() if offset is not None}

    def _finish(self) -> None:
        self._is_finishing = True
        drain_s = self._trigger.drain_s
        self.state.begin_round(drain_s)
        offsets = self._release(self._assignment.partitions, drain_s)
        self._committer.commit_last(offsets, LAST_COMMIT_TIMEOUT_S)
        self._finish_joining()
        self._leave()
        self.state.begin_round(float("inf"))

    def _finish_joining(self) -> None:
        """Wait for the assignment before leaving: else the embedded broker's group gets stuck."""
        deadline = self._clock() + JOIN_TIMEOUT_S
        while self._is_joining and self._clock() < deadline:
            self._consumer.consume(1, IDLE_S)

    def _leave(self) -> None:
        """Leave the group; without a broker the client would try for ever."""
        leaving = threading.Thread(target=self._consumer.close, daemon=True)
        leaving.start()
        leaving.join(LEAVE_TIMEOUT_S)
        if leaving.is_alive():
            self._log(logging.WARNING, "the group cannot be told that we leave")
        else:
            self._log(logging.INFO, "left the group")

    def _log_rebalance(self, level: int, message: str, partitions: list[int]) -> None:
        self._log(level, message, partitions=partitions, owned=self._assignment.partitions)

    def _log(self, level: int, message: str, **fields: object) -> None:
        log.log(level, message, extra={"fields": {"trigger": self._trigger.name} | fields})


def _partitions(topic_partitions: Iterable[TopicPartition]) -> list[int]:
    return sorted(each.partition for each in topic_partitions)
