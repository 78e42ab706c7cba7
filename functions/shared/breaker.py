"""A circuit breaker: a service that hangs costs one call its time-out, and the next nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)


class Breaker:
    """Open while a service is away; a probe in the background closes it again.

    It closes after `steady_s` of answers rather than at the first: by then those who could not
    tell the service of a change have done so.
    """

    def __init__(
        self,
        name: str,
        probe: Callable[[], Awaitable[object]],
        *,
        steady_s: float = 2.0,
        interval_s: float = 0.5,
    ) -> None:
        self._name = name
        self._probe = probe
        self._steady_s = steady_s
        self._interval_s = interval_s
        self._probing: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the service is to be left alone."""
        return self._probing is not None

    def trip(self, error: Exception) -> None:
        """Open, because the service failed."""
        if self._probing is None:
            log.warning("%s is away", self._name, extra={"fields": {"error": str(error)}})
            self._probing = asyncio.get_running_loop().create_task(self._probe_until_steady())

    async def _probe_until_steady(self) -> None:
        answered_s = 0.0
        while answered_s < self._steady_s:
            await asyncio.sleep(self._interval_s)
            try:
                await self._probe()
                answered_s += self._interval_s
            except Exception as error:
                answered_s = 0.0
                log.debug("%s is still away: %s", self._name, error)
        log.info("%s is back", self._name)
        self._probing = None
