"""What only the client knows of a trigger's standing, looked up once in a while."""

import time
from collections.abc import Callable

from confluent_kafka import Consumer, TopicPartition

from local.kafka_trigger.observing.trigger_state import TriggerState

EVERY_S = 1.0


class GroupMonitor:
    """Keeps a watch up to date. Belongs to the thread that polls; `client` is set before `begin`.

    `is_told_nothing`: Apache Kafka 4's group protocol lets a member in without a word when there
    is no partition for it; only the group's metadata changes then.
    """

    client: Consumer

    def __init__(
        self,
        watch: TriggerState,
        topic: str,
        *,
        is_told_nothing: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watch = watch
        self._topic = topic
        self._is_told_nothing = is_told_nothing
        self._clock = clock
        self._next_at = clock()
        self._as_stranger: object = None

    def begin(self) -> None:
        """Note how the group's metadata look before the trigger is its member."""
        if self._is_told_nothing:
            self._as_stranger = self.client.consumer_group_metadata()

    def look(self) -> None:
        """Look, unless the last look was a moment ago."""
        if self._clock() < self._next_at:
            return
        self._next_at = self._clock() + EVERY_S
        if self._is_told_nothing and not self._watch.is_member:
            self._watch.is_member = self.client.consumer_group_metadata() != self._as_stranger
        ends = {number: self._end(number) for number in self._watch.partitions}
        self._watch.ends = {number: end for number, end in ends.items() if end >= 0}

    def _end(self, number: int) -> int:
        """The offset after a partition's last record, as the last fetch saw it; else below 0."""
        place = TopicPartition(self._topic, number)
        _, end = self.client.get_watermark_offsets(place, cached=True)
        return end
