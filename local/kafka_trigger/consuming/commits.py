"""A trigger's commits: what its partitions have done, told to the group soon after."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from local.kafka_trigger.kafka.settings import raise_for_errors

EVERY_S = 0.05
AGAIN_AFTER_S = 1.0
POLL_S = 0.01
BEGIN_WITHIN_S = 10.0

log = logging.getLogger(__name__)


class Commits:
    """Commits positions: the offset of each partition before which all is done.

    Belongs to the thread that polls. `client` is set before the first commit; `ended` is what it
    is to call when an asynchronous commit has ended.
    """

    client: Consumer

    def __init__(
        self, trigger: str, topic: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._trigger = trigger
        self._topic = topic
        self._clock = clock
        self._requested: dict[int, int] = {}
        self._under_way = 0
        self._next_at = clock()

    def begin(self, numbers: Iterable[int]) -> None:
        """Commit the end of those partitions that the group has no offset of, and wait for it.

        Of a group that begins at the end: its next owner would else begin at a later one, if none
        of the records between was done. Raises KafkaException.
        """
        unknown = [TopicPartition(self._topic, number) for number in numbers]
        ends = {
            place.partition: self.client.get_watermark_offsets(place, BEGIN_WITHIN_S)[1]
            for place in raise_for_errors(self.client.committed(unknown, BEGIN_WITHIN_S))
            if place.offset == OFFSET_INVALID
        }
        if ends:
            raise_for_errors(self.client.commit(offsets=self._offsets(ends), asynchronous=False))

    def due(self, positions: Mapping[int, int | None]) -> dict[int, int]:
        """The positions for which no commit has been requested."""
        return {
            number: position
            for number, position in positions.items()
            if position is not None and position != self._requested.get(number)
        }

    def request(self, positions: Mapping[int, int | None]) -> None:
        """Commit what is due without waiting, unless the last commit was a moment ago.

        One at a time: the client tries again after a broker is back, and of two that are under
        way the older may then come last.
        """
        due = self.due(positions)
        if due and not self._under_way and self._clock() >= self._next_at:
            self._next_at = self._clock() + EVERY_S
            self._requested |= due
            self._send(due)

    def ended(self, error: KafkaError | None, offsets: Iterable[TopicPartition]) -> None:
        """A commit has ended; what failed is due again, a little later."""
        self._under_way -= 1
        failed = [each for each in offsets if error or each.error]
        if failed:
            self._next_at = self._clock() + AGAIN_AFTER_S
            self._say(error or failed[0].error)
        self.forget(each.partition for each in failed)

    def forget(self, numbers: Iterable[int]) -> None:
        """Forget what was requested for partitions, since they are gone."""
        for number in numbers:
            self._requested.pop(number, None)

    def now(self, positions: Mapping[int, int]) -> None:
        """Commit positions and wait for it, from within a rebalance."""
        if not positions:
            return
        try:
            self.client.commit(offsets=self._offsets(positions), asynchronous=False)
        except KafkaException as error:
            self._say(error.args[0])

    def last(self, positions: Mapping[int, int], within_s: float) -> None:
        """Commit positions after the commit under way, and wait for it, but not for ever."""
        deadline = self._clock() + within_s
        self._wait_for_end(deadline)
        if positions:
            self._send(positions)
            self._wait_for_end(deadline)

    def _wait_for_end(self, deadline: float) -> None:
        while self._under_way and self._clock() < deadline:
            self.client.consume(1, POLL_S)

    def _send(self, positions: Mapping[int, int]) -> None:
        offsets = self._offsets(positions)
        self._under_way += 1
        try:
            self.client.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            self.ended(error.args[0], offsets)

    def _offsets(self, positions: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, *position) for position in positions.items()]

    def _say(self, error: KafkaError | None) -> None:
        fields = {"trigger": self._trigger, "error": error.str() if error else None}
        log.warning("commit failed", extra={"fields": fields})
