"""The circuit breaker: only the first call to a service that hangs waits for its time-out."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from functions.shared.redis.circuit_breaker import CircuitBreaker

LIMIT_S = 10


class Service:
    """A service that fails or responds, and counts its probes."""

    def __init__(self, *, responds: bool = False) -> None:
        self.responds = responds
        self.probes = 0
        self.script: list[bool] = []

    async def ping(self) -> None:
        """Respond, or fail."""
        self.probes += 1
        responds = self.script.pop(0) if self.script else self.responds
        if not responds:
            raise OSError("away")


def breaker(service: Service, *, steady: int = 1) -> CircuitBreaker:
    """Return a breaker that closes after so many responses in a row."""
    interval_s = 0.0005
    return CircuitBreaker(
        "redis", service.ping, steady_s=steady * interval_s, interval_s=interval_s
    )


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, with a limit."""
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0)


def test_a_breaker_is_closed_until_something_fails() -> None:
    """It does not probe the service."""
    service = Service()
    assert not breaker(service).is_open
    assert service.probes == 0


def test_a_failure_opens_it_at_once() -> None:
    """The next caller does not wait."""

    async def within() -> None:
        service = Service()
        circuit = breaker(service)
        circuit.trip(OSError("away"))
        assert circuit.is_open
        assert service.probes == 0
        service.responds = True
        await until(lambda: not circuit.is_open)

    asyncio.run(within())


def test_it_stays_open_while_the_service_is_unavailable() -> None:
    """However often it is called."""

    async def within() -> None:
        service = Service()
        circuit = breaker(service)
        circuit.trip(OSError("away"))
        await until(lambda: service.probes >= 5)
        assert circuit.is_open
        service.responds = True
        await until(lambda: not circuit.is_open)

    asyncio.run(within())


def test_it_closes_when_the_service_has_recovered() -> None:
    """An unstable service is probed until it responds several times in a row."""

    async def within() -> None:
        service = Service(responds=True)
        service.script = [False, True, True, False, True]
        circuit = breaker(service, steady=3)
        circuit.trip(OSError("away"))
        await until(lambda: not circuit.is_open)
        assert service.probes == 4 + 3

    asyncio.run(within())


def test_it_can_open_again() -> None:
    """After each recovery."""

    async def within() -> None:
        service = Service(responds=True)
        circuit = breaker(service)
        for _ in range(3):
            circuit.trip(OSError("away"))
            assert circuit.is_open
            await until(lambda: not circuit.is_open)

    asyncio.run(within())


def test_many_failures_at_once_are_one(caplog: pytest.LogCaptureFixture) -> None:
    """There is one probe, one log line for the failure and one for the recovery."""

    async def within() -> None:
        service = Service(responds=True)
        circuit = breaker(service)
        for _ in range(100):
            circuit.trip(OSError("away"))
        await until(lambda: not circuit.is_open)
        assert service.probes == 1

    caplog.set_level(logging.INFO)
    asyncio.run(within())
    assert [record.message for record in caplog.records] == ["redis is away", "redis is back"]


def test_a_probe_that_hangs_keeps_it_open() -> None:
    """A probe without a response is not a success."""

    async def within() -> None:
        probed, resumed = asyncio.Event(), asyncio.Event()

        async def hang() -> None:
            probed.set()
            await resumed.wait()

        circuit = CircuitBreaker("redis", hang, steady_s=0.0005, interval_s=0.0005)
        circuit.trip(TimeoutError())
        async with asyncio.timeout(LIMIT_S):
            await probed.wait()
        assert circuit.is_open
        resumed.set()
        await until(lambda: not circuit.is_open)

    asyncio.run(within())


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the time, in seconds."""
        return self.now


def failed_at(*seconds: float, succeeded_at: float | None = None) -> bool:
    """Whether a service that failed at these times, each after the last, failed for 2 s."""
    clock = Clock()
    away = OSError("away")

    async def within() -> bool:
        circuit = CircuitBreaker("redis", Service().ping, clock=clock)
        for second in seconds:
            clock.now = 1_000.0 + second
            if second == succeeded_at:
                circuit.record_success()
            else:
                circuit.trip(away)
        await circuit.close()
        return circuit.has_failed_for(2.0)

    return asyncio.run(within())


def test_an_outage_lasts_from_its_first_failure_to_its_last() -> None:
    """Not until now: the time after the last failure is unknown."""
    assert not failed_at(0.0)
    assert not failed_at(0.0, 1.9)
    assert failed_at(0.0, 1.0, 2.0)


def test_an_outage_ends_with_the_first_success() -> None:
    """The next failure begins another."""
    assert not failed_at(0.0, 1.0, 1.5, 2.0, 3.0, succeeded_at=1.5)
    assert failed_at(0.0, 1.5, 2.0, 3.0, 4.0, succeeded_at=1.5)


def test_a_process_that_was_frozen_does_not_know_whether_an_outage_lasted() -> None:
    """Nor does one whose clock was set back."""
    assert not failed_at(0.0, 3_600.0)
    assert not failed_at(0.0, 2.0, -3_600.0)
    assert failed_at(0.0, 3_600.0, 3_602.0)


def test_probes_that_fail_are_part_of_an_outage() -> None:
    """Failed probes prolong an outage for the next call; a successful one ends it."""

    async def within() -> None:
        clock, service = Clock(), Service()
        circuit = CircuitBreaker("redis", service.ping, steady_s=10, interval_s=0.0005, clock=clock)
        circuit.trip(OSError("away"))
        clock.now += 2.0
        await until(lambda: circuit.has_failed_for(2.0))
        service.responds = True
        await until(lambda: not circuit.has_failed_for(2.0))
        await circuit.close()

    asyncio.run(within())


def test_a_closed_breaker_sends_no_more_probes() -> None:
    """No task of it is left in the event loop."""

    async def within() -> None:
        circuit = breaker(Service())
        circuit.trip(OSError("away"))
        await circuit.close()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(within())
