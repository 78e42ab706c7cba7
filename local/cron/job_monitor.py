"""The state of cron's jobs, for its health probe."""

import time
from collections.abc import Callable, Sequence

from local.process.probes import ProbeResult, health_result

GRACE_S = 10.0  # a time-out is for each step of a call: to connect, to send, to receive


class JobMonitor:
    """The state of one job: whether its thread `is_alive`, and since when a call lasts.

    A call may take `timeout_s` seconds; `clock` returns seconds.
    """

    def __init__(
        self,
        name: str,
        timeout_s: float,
        is_alive: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._timeout_s = timeout_s
        self._is_alive = is_alive
        self._clock = clock
        self._began: float | None = None

    def begin(self) -> None:
        """Note that a call begins."""
        self._began = self._clock()

    def end(self) -> float:
        """Note that the call has ended; return the seconds that it took."""
        began, self._began = self._began, None
        return self._clock() - began if began is not None else 0

    def problem(self) -> str | None:
        """Return what is wrong that a restart would fix; a function that fails is not."""
        began = self._began
        if not self._is_alive():
            return "its thread has ended"
        if began is not None and (seconds := self._clock() - began) > self._timeout_s + GRACE_S:
            return f"a call has been under way for {seconds:.0f} s"
        return None


def health(monitors: Sequence[JobMonitor]) -> ProbeResult:
    """Return whether every job works, and of each that does not what a restart would fix."""
    return health_result("lines", ((monitor.name, monitor.problem()) for monitor in monitors))
