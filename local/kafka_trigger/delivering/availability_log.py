"""The log of a function that is away: once when it goes, ever more rarely, and when it is back."""

import logging
import threading
import time
from collections.abc import Callable

FIRST_REMINDER_S = 10.0

log = logging.getLogger(__name__)


class AvailabilityLog:
    """Whether a trigger's function is away, as all of its partitions see it."""

    def __init__(self, trigger: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._trigger = trigger
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None
        self._reminder_after = FIRST_REMINDER_S

    def away(self, why: str) -> None:
        """Note that nobody answered."""
        with self._lock:
            now = self._clock()
            if self._since is None:
                self._since, self._reminder_after = now, FIRST_REMINDER_S
                self._say("the function is away; its records wait", now - self._since, why)
            elif now - self._since >= self._reminder_after:
                self._reminder_after *= 2
                self._say("the function is still away", now - self._since, why)

    def back(self) -> None:
        """Note that somebody answered."""
        if self._since is None:
            return
        with self._lock:
            since, self._since = self._since, None
        if since is not None:
            fields = {"trigger": self._trigger, "away_s": round(self._clock() - since, 1)}
            log.info("the function is back", extra={"fields": fields})

    def _say(self, message: str, away_s: float, why: str) -> None:
        fields = {"trigger": self._trigger, "away_s": round(away_s, 1), "why": why}
        log.warning(message, extra={"fields": fields})
