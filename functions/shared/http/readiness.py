"""Readiness of a function: its services respond, and have what it needs of them."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from functions.shared.errors import Unavailable

OK = "ok"
TIMEOUT_S = 2.5  # a probe waits a little longer

log = logging.getLogger(__name__)


class Service(Protocol):
    """A client of a service."""

    async def ready(self) -> None:
        """Return if the service is ready; raise Unavailable with why if it is not."""


Services = Mapping[str, Callable[[], Service]]


@dataclass(frozen=True, slots=True)
class ReadinessReport:
    """The state of each service, by its name: `ok`, or why it is not ready."""

    required: Mapping[str, str]
    best_effort: Mapping[str, str]

    @property
    def is_ready(self) -> bool:
        """Whether all required services are ready."""
        return all(state == OK for state in self.required.values())

    @property
    def services(self) -> Mapping[str, str]:
        """The states of all services."""
        return {**self.required, **self.best_effort}

    @property
    def failures(self) -> str:
        """The required services that are not ready, and why."""
        return "; ".join(f"{name}: {state}" for name, state in self.required.items() if state != OK)


class Readiness:
    """Checks services, at most once every `max_age_s` seconds however many callers there are.

    Each service is given as the function that returns its client. One that has not responded
    within `timeout_s` is not asked again before it has. `best_effort` services are reported, but
    the function is ready without them.
    """

    def __init__(
        self,
        required: Services,
        best_effort: Services | None = None,
        *,
        max_age_s: float = 1.0,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._required = required
        self._best_effort = best_effort or {}
        self._max_age_s = max_age_s
        self._timeout_s = timeout_s
        self._clock = clock
        self._checked_at = 0.0
        self._check: asyncio.Task[ReadinessReport] | None = None
        self._service_checks: dict[str, asyncio.Task[None]] = {}
        self._was_ready: bool | None = None

    async def check(self) -> ReadinessReport:
        """Return the states of the services, `max_age_s` old at most."""
        loop, now = asyncio.get_running_loop(), self._clock()
        check = self._check
        is_fresh = check is not None and now - self._checked_at < self._max_age_s
        if check is None or check.get_loop() is not loop or (check.done() and not is_fresh):
            self._checked_at = now
            check = self._check = loop.create_task(self._check_all())
        return await asyncio.shield(check)  # a caller's cancellation is its own

    async def _check_all(self) -> ReadinessReport:
        services = {**self._required, **self._best_effort}
        states = await asyncio.gather(*(self._state(*item) for item in services.items()))
        by_name = dict(zip(services, states, strict=True))
        report = ReadinessReport(
            {name: by_name[name] for name in self._required},
            {name: by_name[name] for name in self._best_effort},
        )
        self._log(report)
        return report

    async def _state(self, name: str, service: Callable[[], Service]) -> str:
        check = self._service_checks.get(name)
        loop = asyncio.get_running_loop()
        if check is None or check.done() or check.get_loop() is not loop:
            check = self._service_checks[name] = loop.create_task(_check(service))
            check.add_done_callback(_retrieve_exception)
        await asyncio.wait([check], timeout=self._timeout_s)
        if not check.done():
            return f"no answer within {self._timeout_s:g} s"
        error = check.exception()
        if error is None:
            return OK
        if isinstance(error, Unavailable):
            return str(error)
        log.error("a check failed", exc_info=error)
        return "its check failed; why is in the log"

    def _log(self, report: ReadinessReport) -> None:
        if report.is_ready != self._was_ready:
            level, message = (
                (logging.INFO, "ready") if report.is_ready else (logging.WARNING, "not ready")
            )
            log.log(level, message, extra={"fields": {"services": dict(report.services)}})
        self._was_ready = report.is_ready


async def _check(service: Callable[[], Service]) -> None:
    await service().ready()


def _retrieve_exception(task: asyncio.Task[None]) -> None:
    """Retrieve a check's exception, or asyncio logs it as never retrieved."""
    if not task.cancelled():
        task.exception()
