"""Whether a function is ready: asked once for all who want to know, and told by name."""

import asyncio
import logging

import pytest

from functions.shared.errors import Unavailable
from functions.shared.http.readiness import Readiness, Report


class Service:
    """A service that answers, does not, or hangs; and how often it was asked."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked = 0
        self.hangs: asyncio.Event | None = None

    async def check(self) -> None:
        """Answer as told."""
        self.asked += 1
        if self.hangs:
            await self.hangs.wait()
        if self.error:
            raise self.error


class Clock:
    """A clock that moves when a test moves it."""

    now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def test_each_service_is_told_by_its_name() -> None:
    """What is needed decides; what is best effort is only reported."""
    postgres = Service(Unavailable('relation "highlights" does not exist'))
    readiness = Readiness(
        {"postgres": postgres.check, "kafka": Service().check},
        best_effort={"redis": Service(Unavailable("Redis does not answer.")).check},
        max_age_s=0,
    )
    report = asyncio.run(readiness.report())
    assert not report.is_ready
    assert report.services == {
        "postgres": 'relation "highlights" does not exist',
        "kafka": "ok",
        "redis": "Redis does not answer.",
    }
    assert report.missing == 'postgres: relation "highlights" does not exist'
    postgres.error = None
    assert asyncio.run(readiness.report()).is_ready


def test_many_who_ask_cost_one_look_a_second() -> None:
    """At once, or one after the other; a second later it is looked again."""
    service, clock = Service(), Clock()
    readiness = Readiness({"postgres": service.check}, clock=clock)

    async def ask() -> None:
        await asyncio.gather(*(readiness.report() for _ in range(100)))
        for _ in range(100):
            await readiness.report()
        assert service.asked == 1
        clock.now += 0.99
        await readiness.report()
        assert service.asked == 1
        clock.now += 0.01
        service.error = Unavailable("away")
        assert not (await readiness.report()).is_ready
        assert service.asked == 2

    asyncio.run(ask())


def test_a_service_that_hangs_is_not_asked_again_before_it_has_answered() -> None:
    """The answer comes in time all the same, and is right as soon as the service is back."""
    service = Service()
    readiness = Readiness({"postgres": service.check}, max_age_s=0, limit_s=0.01)

    async def ask() -> list[Report]:
        service.hangs = asyncio.Event()
        hung = [await readiness.report() for _ in range(3)]
        service.hangs.set()
        while (report := await readiness.report()).is_ready is False:
            pass
        return [*hung, report]

    *hung, back = asyncio.run(ask())
    assert [each.missing for each in hung] == ["postgres: no answer within 0.01 s"] * 3
    assert back.is_ready
    assert service.asked <= 3


def test_who_leaves_does_not_end_the_look_for_others() -> None:
    """A probe whose own time-out passes."""
    service = Service()
    readiness = Readiness({"postgres": service.check})

    async def ask() -> None:
        service.hangs = asyncio.Event()
        impatient = asyncio.create_task(readiness.report())
        patient = asyncio.create_task(readiness.report())
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.wait([impatient])
        service.hangs.set()
        assert (await patient).is_ready

    asyncio.run(ask())


def test_a_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """With the state of each service, and not at each look."""
    caplog.set_level(logging.INFO)
    service = Service(Unavailable("away"))
    readiness = Readiness({"postgres": service.check}, max_age_s=0)

    async def ask() -> None:
        for error in (Unavailable("away"), Unavailable("away"), None, None):
            service.error = error
            await readiness.report()

    asyncio.run(ask())
    assert [record.message for record in caplog.records] == ["not ready", "ready"]


def test_a_check_that_breaks_makes_unready_and_tells_only_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its message might be of our own matters."""
    readiness = Readiness({"kafka": Service(ValueError("secret")).check})
    report = asyncio.run(readiness.report())
    assert report.services == {"kafka": "its check failed; why is in the log"}
    assert "secret" in caplog.text
