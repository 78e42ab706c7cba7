"""Logs whether a function is available: when it is lost, ever more rarely, and when it is back."""

import logging
import threading
import time
from collections.abc import Callable

FIRST_REMINDER_S = 10.0

log = logging.getLogger(__name__)


class AvailabilityLog:
    """The availability of a trigger's function; the threads of its partitions share it."""

    def __init__(self, trigger: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._trigger = trigger
        self._clock = clock
        self._lock = threading.Lock()
        self._unavailable_since: float | None = None
        self._remind_after_s = FIRST_REMINDER_S

    def unavailable(self, detail: str) -> None:
        """Record that a request did not reach the function."""
        with self._lock:
            now = self._clock()
            if self._unavailable_since is None:
                self._unavailable_since, self._remind_after_s = now, FIRST_REMINDER_S
                self._log("the function is away; its records wait", 0.0, detail)
                return
            duration_s = now - self._unavailable_since
            if duration_s >= self._remind_after_s:
                self._remind_after_s *= 2
                self._log("the function is still away", duration_s, detail)

    def available(self) -> None:
        """Record that the function answered."""
        if self._unavailable_since is None:
            return
        with self._lock:
            since, self._unavailable_since = self._unavailable_since, None
        if since is not None:
            fields = {"trigger": self._trigger, "away_s": round(self._clock() - since, 1)}
            log.info("the function is back", extra={"fields": fields})

    def _log(self, message: str, duration_s: float, detail: str) -> None:
        fields = {"trigger": self._trigger, "away_s": round(duration_s, 1), "why": detail}
        log.warning(message, extra={"fields": fields})
