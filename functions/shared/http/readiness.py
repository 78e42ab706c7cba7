"""Whether a function can do its work: its services answer, and have what it needs of them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from functions.shared.errors import Unavailable

Check = Callable[[], Awaitable[None]]

OK = "ok"
LIMIT_S = 2.5  # a probe waits a little longer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """The state of each service, by its name: `ok`, or what is wrong with it."""

    needed: Mapping[str, str]
    best_effort: Mapping[str, str]

    @property
    def is_ready(self) -> bool:
        """Whether every service that is needed is there."""
        return all(state == OK for state in self.needed.values())

    @property
    def services(self) -> Mapping[str, str]:
        """All of them."""
        return {**self.needed, **self.best_effort}

    @property
    def missing(self) -> str:
        """Which are needed and not ready, and why."""
        return "; ".join(f"{name}: {why}" for name, why in self.needed.items() if why != OK)


class Service(Protocol):
    """A client of a service, or a store in it."""

    async def ready(self) -> None:
        """Return if it is; raise Unavailable with what is missing if not."""


def ask(service: Callable[[], Service]) -> Check:
    """A check that asks a service, whose client is made when it is first asked."""
    return lambda: service().ready()


class Readiness:
    """Asks the services, at most once every `max_age_s`, whoever and how many want to know.

    A check raises Unavailable with what is missing. One that has not ended after `limit_s` is not
    begun again before it has. `best_effort` services are reported, and make nothing unready.
    """

    def __init__(
        self,
        needed: Mapping[str, Check],
        best_effort: Mapping[str, Check] | None = None,
        *,
        max_age_s: float = 1.0,
        limit_s: float = LIMIT_S,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._needed = needed
        self._best_effort = best_effort or {}
        self._max_age_s = max_age_s
        self._limit_s = limit_s
        self._clock = clock
        self._looked_at = 0.0
        self._look: asyncio.Task[Report] | None = None
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._was_ready: bool | None = None

    async def report(self) -> Report:
        """The state of the services, of now or of a moment ago."""
        loop, now = asyncio.get_running_loop(), self._clock()
        look = self._look
        is_fresh = look is not None and now - self._looked_at < self._max_age_s
        if look is None or look.get_loop() is not loop or (look.done() and not is_fresh):
            self._looked_at = now
            look = self._look = loop.create_task(self._ask())
        return await asyncio.shield(look)  # who leaves must not end it for all

    async def _ask(self) -> Report:
        checks = {**self._needed, **self._best_effort}
        states = await asyncio.gather(*(self._state(*item) for item in checks.items()))
        services = dict(zip(checks, states, strict=True))
        report = Report(
            {name: services[name] for name in self._needed},
            {name: services[name] for name in self._best_effort},
        )
        self._log(report)
        return report

    async def _state(self, name: str, check: Check) -> str:
        running = self._checks.get(name)
        loop = asyncio.get_running_loop()
        if running is None or running.done() or running.get_loop() is not loop:
            running = self._checks[name] = loop.create_task(_run(check))
            running.add_done_callback(_retrieve)
        await asyncio.wait([running], timeout=self._limit_s)
        if not running.done():
            return f"no answer within {self._limit_s:g} s"
        error = running.exception()
        if error is None:
            return OK
        if isinstance(error, Unavailable):
            return str(error)
        log.error("a check failed", exc_info=error)
        return "its check failed; why is in the log"

    def _log(self, report: Report) -> None:
        if report.is_ready != self._was_ready:
            level, message = (
                (logging.INFO, "ready") if report.is_ready else (logging.WARNING, "not ready")
            )
            log.log(level, message, extra={"fields": {"services": dict(report.services)}})
        self._was_ready = report.is_ready


async def _run(check: Check) -> None:
    await check()


def _retrieve(check: asyncio.Task[None]) -> None:
    """Retrieve the exception, or asyncio logs it as never retrieved."""
    if not check.cancelled():
        check.exception()
