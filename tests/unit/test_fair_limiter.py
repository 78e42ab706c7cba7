"""The limiter of concurrent calls: in order of arrival, fair to light calls, bounded waits."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from functions.shared.concurrency.fair_limiter import FairLimiter
from functions.shared.errors import TooBusy
from functions.shared.http.problems import problem_of

LONG_S = 30.0


def in_loop(
    test: Callable[[FairLimiter], Awaitable[None]], size: int = 4, wait_s: float = LONG_S
) -> None:
    """Run a test with a limiter, in an event loop."""

    async def run() -> None:
        await test(FairLimiter(size, wait_s=wait_s))

    asyncio.run(run())


async def settle() -> None:
    """Run all tasks that can run."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_slots_are_granted_in_order_of_arrival() -> None:
    """As many at once as there are, and the next as soon as one is released."""
    granted: list[int] = []

    async def test(limiter: FairLimiter) -> None:
        async def acquire(number: int) -> None:
            await limiter.acquire(heavy=False)
            granted.append(number)

        tasks = [asyncio.create_task(acquire(number)) for number in range(5)]
        await settle()
        assert granted == [0, 1]
        for expected in ([0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 4]):
            limiter.release(heavy=False)
            await settle()
            assert granted == expected
        await asyncio.gather(*tasks)

    in_loop(test, size=2)


@pytest.mark.parametrize(("size", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (8, 4)])
def test_heavy_calls_hold_half_of_the_slots_at_most(size: int, most: int) -> None:
    """A dozen heavy calls wait for each other; a light call that comes after them does not."""

    async def test(limiter: FairLimiter) -> None:
        heavy = [asyncio.create_task(limiter.acquire(heavy=True)) for _ in range(12)]
        await settle()
        assert sum(each.done() for each in heavy) == most
        light = [asyncio.create_task(limiter.acquire(heavy=False)) for _ in range(size - most)]
        await settle()
        assert all(each.done() for each in light)
        limiter.release(heavy=True)
        await settle()
        assert sum(each.done() for each in heavy) == most + 1
        for each in heavy:
            each.cancel()

    in_loop(test, size=size)


def test_light_calls_may_hold_all_slots() -> None:
    """No slot is reserved for heavy calls."""

    async def test(limiter: FairLimiter) -> None:
        for _ in range(4):
            await limiter.acquire(heavy=False)

    in_loop(test, size=4)


def test_a_caller_that_waits_too_long_is_refused_and_gets_no_slot_later() -> None:
    """With a 503 that says when to retry; the next caller gets the slot."""

    async def test(limiter: FairLimiter) -> None:
        await limiter.acquire(heavy=False)
        with pytest.raises(TooBusy) as error:
            await limiter.acquire(heavy=False)
        problem = problem_of(error.value)
        assert (problem.status, problem.headers) == (503, {"Retry-After": "1"})
        limiter.release(heavy=False)
        await limiter.acquire(heavy=False)

    in_loop(test, size=1, wait_s=0.01)


def test_a_cancelled_caller_keeps_no_slot() -> None:
    """Whether it is cancelled while it waits, or at the moment its slot is granted."""

    async def test(limiter: FairLimiter) -> None:
        for releases_first in (True, False):
            await limiter.acquire(heavy=True)
            waiting = asyncio.create_task(limiter.acquire(heavy=True))
            await settle()
            if releases_first:
                limiter.release(heavy=True)
            waiting.cancel()
            await asyncio.wait([waiting])
            if not releases_first or not waiting.cancelled():  # then its slot was granted first
                limiter.release(heavy=True)
            await asyncio.wait_for(limiter.acquire(heavy=True), LONG_S)
            limiter.release(heavy=True)

    in_loop(test, size=1)


def test_a_slot_may_be_released_in_any_thread() -> None:
    """As the threads of a pool do when a statement ends."""

    async def test(limiter: FairLimiter) -> None:
        await limiter.acquire(heavy=False)
        waiting = asyncio.create_task(limiter.acquire(heavy=False))
        await settle()
        await asyncio.to_thread(limiter.release, heavy=False)
        await asyncio.wait_for(waiting, LONG_S)

    in_loop(test, size=1)
