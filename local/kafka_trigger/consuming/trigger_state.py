"""The state of a running trigger, for probes and metrics."""

import time
from collections.abc import Callable, Mapping

from local.kafka_trigger.consuming.committable_offsets import CommittableOffsets
from local.kafka_trigger.consuming.partition_worker import PartitionWorker

MAX_ROUND_S = 30.0


class TriggerState:
    """A trigger's state: written by the thread that polls, read by any other.

    Readers copy a container in one step, as `sorted` does: no other thread runs meanwhile.

    `workers` are those of the assigned partitions, `paused` the partitions that are paused,
    `end_offsets` those after the last records, where known, and `offsets` says how far partitions
    are processed. `is_member` if the group has admitted the trigger. `read_errors` are the reasons
    why partitions, or by None all of them, cannot be read.
    """

    def __init__(
        self,
        trigger: str,
        clock: Callable[[], float] = time.monotonic,
        read_errors: Mapping[int | None, str] | None = None,
    ) -> None:
        self.trigger = trigger
        self.workers: dict[int, PartitionWorker] = {}
        self.paused: set[int] = set()
        self.end_offsets: dict[int, int] = {}
        self.offsets = CommittableOffsets()
        self.is_member = False
        self._read_errors = {} if read_errors is None else read_errors
        self._clock = clock
        self.begin_round()

    def begin_round(self, extra_s: float = 0) -> None:
        """Record that the poll loop runs; this round may take so much longer than usual."""
        self._round_began_at = self._clock()
        self._next_round_by = self._round_began_at + MAX_ROUND_S + extra_s

    def health_problem(self) -> str | None:
        """Return what a restart would mend; a slow function or an unreachable broker is not it."""
        now = self._clock()
        if now > self._next_round_by:
            return f"its loop has not turned for {now - self._round_began_at:.0f} s"
        if dead := [each.partition for each in self.sorted_workers() if not each.is_alive]:
            return f"the threads of partitions {dead} have ended"
        return None

    def blocked(self) -> dict[int | None, str]:
        """Return why partitions, or by None all of them, cannot go on without an operator."""
        workers = self.sorted_workers()
        blocked = {each.partition: why for each in workers if (why := each.status.blocked_by)}
        return dict(self._read_errors) | blocked

    def sorted_workers(self) -> list[PartitionWorker]:
        """Return the workers of the assigned partitions, in the partitions' order."""
        return sorted(self.workers.values(), key=lambda each: each.partition)
