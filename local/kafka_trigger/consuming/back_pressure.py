"""Back pressure: pauses partitions whose function is slower than their records arrive."""

import time
from collections.abc import Callable, Iterable, Mapping, Set

from confluent_kafka import Consumer, TopicPartition

from local.kafka_trigger.consuming.record_queue import RecordQueue

ROOM_WITHIN_S = 0.05  # how long a full queue may delay the other partitions


class BackPressure:
    """Pauses partitions whose queues are full. Used by the thread that polls.

    `paused` are the partitions that are paused now.
    """

    def __init__(
        self,
        client: Consumer,
        topic: str,
        paused: set[int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.paused = paused
        self._client = client
        self._topic = topic
        self._clock = clock

    def apply(self, queues: Mapping[int, RecordQueue]) -> None:
        """Pause the partitions whose queues are full, and resume those whose queues are low.

        A full queue is given a moment first: a pause discards what the client has prefetched.
        """
        deadline = self._clock() + ROOM_WITHIN_S
        full = {
            partition
            for partition in queues.keys() - self.paused
            if not queues[partition].wait_for_room(deadline - self._clock())
        }
        if full:
            self._client.pause(self._topic_partitions(full))
            self.paused |= full
        self._resume({partition for partition in self.paused if queues[partition].is_low})

    def forget(self, partitions: Set[int]) -> None:
        """Resume partitions that are revoked: the client keeps a pause beyond an assignment."""
        self._resume(self.paused & set(partitions))

    def _resume(self, partitions: set[int]) -> None:
        if partitions:
            self._client.resume(self._topic_partitions(partitions))
            self.paused -= partitions

    def _topic_partitions(self, partitions: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition) for partition in partitions]
