"""Holding back what a function cannot take as fast as it comes."""

import time
from collections.abc import Callable, Iterable, Mapping, Set

from confluent_kafka import Consumer, TopicPartition

from local.kafka_trigger.consuming.record_queue import RecordQueue

ROOM_WITHIN_S = 0.05  # how long a full queue may keep the others waiting


class BackPressure:
    """Pauses partitions whose queues are full. Belongs to the thread that polls.

    `client` is set before the first use; `paused` are the partitions that are.
    """

    client: Consumer

    def __init__(
        self, topic: str, paused: set[int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.paused = paused
        self._topic = topic
        self._clock = clock

    def apply(self, queues: Mapping[int, RecordQueue]) -> None:
        """Pause the partitions whose function falls behind, and resume those that caught up.

        A queue that is full gets a moment first: a pause throws away what was fetched ahead.
        """
        deadline = self._clock() + ROOM_WITHIN_S
        full = {
            number
            for number in queues.keys() - self.paused
            if not queues[number].wait_for_room(deadline - self._clock())
        }
        if full:
            self.client.pause(self._places(full))
            self.paused |= full
        self._resume({number for number in self.paused if queues[number].is_low})

    def forget(self, numbers: Set[int]) -> None:
        """Resume partitions that go: a pause outlives an assignment."""
        self._resume(self.paused & set(numbers))

    def _resume(self, numbers: set[int]) -> None:
        if numbers:
            self.client.resume(self._places(numbers))
            self.paused -= numbers

    def _places(self, numbers: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, number) for number in numbers]
