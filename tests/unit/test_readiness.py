"""Readiness checks: shared by all callers, and reported by service."""

import asyncio
import logging

import pytest

from functions.shared.errors import Unavailable
from functions.shared.http.readiness import Readiness, ReadinessReport


class Service:
    """A service that is ready, is not, or hangs; it counts its checks."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.checks = 0
        self.responds: asyncio.Event | None = None

    def __call__(self) -> "Service":
        """Return the service, as the function that makes a client does."""
        return self

    async def ready(self) -> None:
        """Return or raise as the test wants."""
        self.checks += 1
        if self.responds:
            await self.responds.wait()
        if self.error:
            raise self.error


class Clock:
    """A clock that moves only when a test moves it."""

    now = 100.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def test_the_report_has_the_state_of_each_service_by_name() -> None:
    """The function is ready when all required services are; best effort ones are only reported."""
    postgres = Service(Unavailable('relation "highlights" does not exist'))
    readiness = Readiness(
        {"postgres": postgres, "kafka": Service()},
        best_effort={"redis": Service(Unavailable("Redis does not answer."))},
        max_age_s=0,
    )
    report = asyncio.run(readiness.check())
    assert not report.is_ready
    assert report.services == {
        "postgres": 'relation "highlights" does not exist',
        "kafka": "ok",
        "redis": "Redis does not answer.",
    }
    assert report.failures == 'postgres: relation "highlights" does not exist'
    postgres.error = None
    assert asyncio.run(readiness.check()).is_ready


def test_many_callers_share_one_check_a_second() -> None:
    """Whether they come at once or one after the other; a second later there is another check."""
    service, clock = Service(), Clock()
    readiness = Readiness({"postgres": service}, clock=clock)

    async def checks() -> None:
        await asyncio.gather(*(readiness.check() for _ in range(100)))
        for _ in range(100):
            await readiness.check()
        assert service.checks == 1
        clock.now += 0.99
        await readiness.check()
        assert service.checks == 1
        clock.now += 0.01
        service.error = Unavailable("away")
        assert not (await readiness.check()).is_ready
        assert service.checks == 2

    asyncio.run(checks())


def test_a_service_that_hangs_is_not_checked_again_before_it_responds() -> None:
    """The report comes in time all the same, and is correct as soon as the service responds."""
    service = Service()
    readiness = Readiness({"postgres": service}, max_age_s=0, timeout_s=0.01)

    async def checks() -> list[ReadinessReport]:
        service.responds = asyncio.Event()
        hung = [await readiness.check() for _ in range(3)]
        service.responds.set()
        while (report := await readiness.check()).is_ready is False:
            pass
        return [*hung, report]

    *hung, back = asyncio.run(checks())
    assert [each.failures for each in hung] == ["postgres: no answer within 0.01 s"] * 3
    assert back.is_ready
    assert service.checks <= 3


def test_a_cancelled_caller_does_not_cancel_the_check_for_others() -> None:
    """Such as a probe whose own time-out passes."""
    service = Service()
    readiness = Readiness({"postgres": service})

    async def checks() -> None:
        service.responds = asyncio.Event()
        impatient = asyncio.create_task(readiness.check())
        patient = asyncio.create_task(readiness.check())
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.wait([impatient])
        service.responds.set()
        assert (await patient).is_ready

    asyncio.run(checks())


def test_a_change_of_readiness_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """And not at each check."""
    caplog.set_level(logging.INFO)
    service = Service(Unavailable("away"))
    readiness = Readiness({"postgres": service}, max_age_s=0)

    async def checks() -> None:
        for error in (Unavailable("away"), Unavailable("away"), None, None):
            service.error = error
            await readiness.check()

    asyncio.run(checks())
    assert [record.message for record in caplog.records] == ["not ready", "ready"]


def test_an_unexpected_error_of_a_check_is_logged_but_not_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its message might be internal; the service counts as not ready."""
    readiness = Readiness({"kafka": Service(ValueError("secret"))})
    report = asyncio.run(readiness.check())
    assert report.services == {"kafka": "its check failed; why is in the log"}
    assert "secret" in caplog.text
