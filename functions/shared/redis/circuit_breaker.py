"""A circuit breaker: after one timeout, calls to a failed service are not even tried."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

# Failures that are further apart are two outages: the process was frozen meanwhile, and the service
# may have been back. Longer than a probe's interval and its timeout.
OUTAGE_GAP_S = 5.0


class CircuitBreaker:
    """Open while a service is unavailable; a probe in the background closes it again.

    It closes after `steady_s` seconds of answers rather than at the first: by then all that was
    cached before the outage has expired.
    """

    def __init__(
        self,
        name: str,
        probe: Callable[[], Awaitable[object]],
        *,
        steady_s: float = 2.0,
        interval_s: float = 0.5,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._probe = probe
        self._steady_s = steady_s
        self._interval_s = interval_s
        self._clock = clock
        self._probing: asyncio.Task[None] | None = None
        self._first_failure = self._last_failure = 0.0  # of this outage

    @property
    def is_open(self) -> bool:
        """Whether the service is not to be called."""
        return self._probing is not None

    def trip(self, error: Exception) -> None:
        """Open after a failed call."""
        self._record_failure()
        if self._probing is None:
            log.warning("%s is away", self._name, extra={"fields": {"error": str(error)}})
            self._probing = asyncio.get_running_loop().create_task(self._probe_until_steady())

    def record_success(self) -> None:
        """End the outage that `has_failed_for` measures; the breaker stays open."""
        self._first_failure = self._last_failure = 0.0

    def has_failed_for(self, seconds: float) -> bool:
        """Return whether every call and probe has failed for so long, up to the last one."""
        return self._last_failure - self._first_failure >= seconds

    async def close(self) -> None:
        """Stop probing."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait([self._probing])

    def _record_failure(self) -> None:
        now = self._clock()
        if not 0 <= now - self._last_failure <= OUTAGE_GAP_S:
            self._first_failure = now
        self._last_failure = now

    async def _probe_until_steady(self) -> None:
        answered_s = 0.0
        while answered_s < self._steady_s:
            await asyncio.sleep(self._interval_s)
            try:
                await self._probe()
                answered_s += self._interval_s
                self.record_success()
            except Exception as error:
                answered_s = 0.0
                self._record_failure()
                log.debug("%s is still away: %s", self._name, error)
        log.info("%s is back", self._name)
        self._probing = None
