"""What an operator may see of a trigger."""

import time
from collections.abc import Callable, Mapping

from local.kafka_trigger.consuming.partition import Partition
from local.kafka_trigger.consuming.progress import Progress

TURNS_WITHIN_S = 30.0


class TriggerState:
    """A trigger's state: written by the thread that polls, read by any other.

    Readers copy a container in one step, as `sorted` does: no other thread comes between.

    `paused` are the partitions held back, `ends` the offsets after their last records, as far as
    known; `progress` says what of them is settled. `is_member` says whether the group has let the
    trigger in. `read_errors` are why partitions, or by None all, cannot be read.
    """

    def __init__(
        self,
        trigger: str,
        clock: Callable[[], float] = time.monotonic,
        read_errors: Mapping[int | None, str] | None = None,
    ) -> None:
        self.trigger = trigger
        self.partitions: dict[int, Partition] = {}
        self.paused: set[int] = set()
        self.ends: dict[int, int] = {}
        self.progress = Progress()
        self.is_member = False
        self._read_errors = {} if read_errors is None else read_errors
        self._clock = clock
        self.turn()

    def turn(self, more_s: float = 0) -> None:
        """Note that the loop turns; its next turn may take so many seconds more than usual."""
        self._turned_at = self._clock()
        self._turns_by = self._turned_at + TURNS_WITHIN_S + more_s

    def trouble(self) -> str | None:
        """What is wrong that a restart would mend; a slow function or a broker away is not."""
        now = self._clock()
        if now > self._turns_by:
            return f"its loop has not turned for {now - self._turned_at:.0f} s"
        if dead := [each.number for each in self.held() if not each.is_alive]:
            return f"the threads of partitions {dead} have ended"
        return None

    def blocked(self) -> dict[int | None, str]:
        """Why partitions, or by None all of the topic, cannot go on until somebody mends that."""
        held = {each.number: why for each in self.held() if (why := each.blocked_by)}
        return dict(self._read_errors) | held

    def held(self) -> list[Partition]:
        """The partitions that it has now, in order."""
        return sorted(self.partitions.values(), key=lambda each: each.number)
