"""Why a trigger cannot read its topic, or a partition of it, for as long as that lasts."""

import time
from collections.abc import Callable, Iterable

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

LOOK_EVERY_S = 5.0
ANSWERS_WITHIN_S = 1.0  # the thread that polls waits for it
OF_THE_GROUP = {KafkaError.GROUP_AUTHORIZATION_FAILED}
LASTING = OF_THE_GROUP | {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_EXCEPTION,
    KafkaError.UNKNOWN_TOPIC_ID,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC,
}


class ReadErrors:
    """Keeps errors that do not pass by themselves; None as a partition stands for all.

    The client tells an error once, and never that it is over: records tell it, an assignment, or
    the broker when it is asked. Belongs to the thread that polls; `client` is set before `look`.
    `found` are the reasons, for other threads to read.
    """

    client: Consumer

    def __init__(self, topic: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.found: dict[int | None, str] = {}
        self._topic = topic
        self._clock = clock
        self._is_of_group = False
        self._next_at = 0.0

    def note(self, number: int | None, error: KafkaError) -> None:
        """Keep an error, if it is one that lasts."""
        if error.code() in LASTING:
            self.found[number] = f"{self._topic} cannot be read: {error.str()}"
            self._is_of_group = number is None and error.code() in OF_THE_GROUP
            self._next_at = self._clock() + LOOK_EVERY_S

    def read(self, number: int) -> None:
        """Note that a partition could be read."""
        self.found.pop(number, None)

    def assigned(self, numbers: Iterable[int]) -> None:
        """Note an assignment: the group has let us in, and with partitions there is a topic."""
        if self._is_of_group or list(numbers):
            self.found.pop(None, None)

    def forget(self, numbers: Iterable[int]) -> None:
        """Forget partitions that are gone."""
        for number in numbers:
            self.found.pop(number, None)

    def look(self, settled: Callable[[int], int | None]) -> None:
        """Ask, once in a while, whether what could not be read can be, or has nothing to read.

        `settled` says before which offset all of a partition is settled.
        """
        if not self.found or self._clock() < self._next_at:
            return
        self._next_at = self._clock() + LOOK_EVERY_S
        for number in list(self.found):
            try:
                is_over = self._is_there() if number is None else self._is_read(number, settled)
            except KafkaException:
                continue
            if is_over:
                del self.found[number]

    def _is_there(self) -> bool:
        if self._is_of_group:
            return False
        found = self.client.list_topics(self._topic, timeout=ANSWERS_WITHIN_S).topics
        return self._topic in found and not found[self._topic].error

    def _is_read(self, number: int, settled: Callable[[int], int | None]) -> bool:
        """Whether nothing waits in a partition; if something does, its arrival will tell."""
        place = TopicPartition(self._topic, number)
        start, end = self.client.get_watermark_offsets(place, timeout=ANSWERS_WITHIN_S)
        return end <= max(start, settled(number) or 0)
