"""What an operator may see of cron's lines."""

import time
from collections.abc import Callable, Sequence

from local.process import probes
from local.process.probes import Report

GRACE_S = 10.0  # a time-out is for each step of a call: to connect, to send, to be answered


class LineWatch:
    """One line's state: `is_alive` says whether its thread is; a call has `timeout_s`."""

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
        """Note that it has ended; returns the seconds that it took."""
        began, self._began = self._began, None
        return self._clock() - began if began is not None else 0

    def trouble(self) -> str | None:
        """What is wrong that a restart would mend; a function that fails is not."""
        began = self._began
        if not self._is_alive():
            return "its thread has ended"
        if began is not None and (seconds := self._clock() - began) > self._timeout_s + GRACE_S:
            return f"a call has been under way for {seconds:.0f} s"
        return None


def health(watches: Sequence[LineWatch]) -> Report:
    """Whether every line works, or else which one a restart would mend, and why."""
    return probes.health("lines", ((watch.name, watch.trouble()) for watch in watches))
