"""Updates a trigger's state with what the client knows of its group and partitions."""

import time
from collections.abc import Callable

from confluent_kafka import TopicPartition

from local.kafka_trigger.consuming.trigger_state import TriggerState
from local.kafka_trigger.kafka.consumer_client import ConsumerClient

UPDATE_EVERY_S = 1.0


class GroupMonitor:
    """Asks the client for end offsets, and for membership if the group reports no assignment.

    Used by the thread that polls.
    """

    def __init__(
        self,
        client: ConsumerClient,
        state: TriggerState,
        topic: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client.consumer
        self._asks_membership = not client.reports_empty_assignment
        self._state = state
        self._topic = topic
        self._clock = clock
        self._next_at = clock()
        self._metadata_before_join: object = None

    def expect_join(self) -> None:
        """Remember the group's metadata from before the trigger is a member."""
        if self._asks_membership:
            self._metadata_before_join = self._client.consumer_group_metadata()

    def update(self) -> None:
        """Update the state, unless the last update is too recent."""
        if self._clock() < self._next_at:
            return
        self._next_at = self._clock() + UPDATE_EVERY_S
        if self._asks_membership and not self._state.is_member:
            metadata = self._client.consumer_group_metadata()
            self._state.is_member = metadata != self._metadata_before_join
        ends = {partition: self._end_offset(partition) for partition in self._state.workers}
        self._state.end_offsets = {
            partition: offset for partition, offset in ends.items() if offset >= 0
        }

    def _end_offset(self, partition: int) -> int:
        """The offset after a partition's last record, by the last fetch; below 0 if unknown."""
        topic_partition = TopicPartition(self._topic, partition)
        _, end = self._client.get_watermark_offsets(topic_partition, cached=True)
        return end
