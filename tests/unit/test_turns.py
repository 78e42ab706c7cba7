"""Turns at a pool: in order, shared fairly between light and heavy work, never waited for long."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from functions.shared.concurrency.fair_limiter import FairLimiter
from functions.shared.errors import TooBusy
from functions.shared.http.problems import problem_of

LONG_S = 30.0


def in_loop(
    work: Callable[[FairLimiter], Awaitable[None]], size: int = 4, wait_s: float = LONG_S
) -> None:
    """Do some work with turns, in an event loop."""

    async def run() -> None:
        await work(FairLimiter(size, wait_s=wait_s))

    asyncio.run(run())


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_turns_are_given_in_order_of_arrival() -> None:
    """As many at once as there are, and the next as soon as one is given back."""
    taken: list[int] = []

    async def work(turns: FairLimiter) -> None:
        async def take(number: int) -> None:
            await turns.take(heavy=False)
            taken.append(number)

        tasks = [asyncio.create_task(take(number)) for number in range(5)]
        await settle()
        assert taken == [0, 1]
        for expected in ([0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 4]):
            turns.give_back(heavy=False)
            await settle()
            assert taken == expected
        await asyncio.gather(*tasks)

    in_loop(work, size=2)


@pytest.mark.parametrize(("size", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (8, 4)])
def test_heavy_work_has_half_of_the_turns_at_most(size: int, most: int) -> None:
    """A dozen heavy calls wait for each other; a light one that comes after them does not."""

    async def work(turns: FairLimiter) -> None:
        heavy = [asyncio.create_task(turns.take(heavy=True)) for _ in range(12)]
        await settle()
        assert sum(each.done() for each in heavy) == most
        light = [asyncio.create_task(turns.take(heavy=False)) for _ in range(size - most)]
        await settle()
        assert all(each.done() for each in light)
        turns.give_back(heavy=True)
        await settle()
        assert sum(each.done() for each in heavy) == most + 1
        for each in heavy:
            each.cancel()

    in_loop(work, size=size)


def test_light_work_may_have_all_turns() -> None:
    """What nobody else wants is not held back."""

    async def work(turns: FairLimiter) -> None:
        for _ in range(4):
            await turns.take(heavy=False)

    in_loop(work, size=4)


def test_who_has_waited_for_long_is_refused_and_takes_no_turn_afterwards() -> None:
    """With a 503 that says when to come again; the turn is for who comes next."""

    async def work(turns: FairLimiter) -> None:
        await turns.take(heavy=False)
        with pytest.raises(TooBusy) as error:
            await turns.take(heavy=False)
        problem = problem_of(error.value)
        assert (problem.status, problem.headers) == (503, {"Retry-After": "1"})
        turns.give_back(heavy=False)
        await turns.take(heavy=False)

    in_loop(work, size=1, wait_s=0.01)


def test_who_leaves_takes_no_turn_with_them() -> None:
    """Whether they leave while they wait, or in the moment in which their turn comes."""

    async def work(turns: FairLimiter) -> None:
        for gives_back_first in (True, False):
            await turns.take(heavy=True)
            waiting = asyncio.create_task(turns.take(heavy=True))
            await settle()
            if gives_back_first:
                turns.give_back(heavy=True)
            waiting.cancel()
            await asyncio.wait([waiting])
            if not gives_back_first or not waiting.cancelled():  # then its turn came first
                turns.give_back(heavy=True)
            await asyncio.wait_for(turns.take(heavy=True), LONG_S)
            turns.give_back(heavy=True)

    in_loop(work, size=1)


def test_a_turn_is_given_back_in_any_thread() -> None:
    """As the threads of a pool do when a statement ends."""

    async def work(turns: FairLimiter) -> None:
        await turns.take(heavy=False)
        waiting = asyncio.create_task(turns.take(heavy=False))
        await settle()
        await asyncio.to_thread(turns.give_back, heavy=False)
        await asyncio.wait_for(waiting, LONG_S)

    in_loop(work, size=1)
