"""Flights: calls for the same thing share one, and none gets what is older than itself."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.concurrency.single_flight import SingleFlight


class World:
    """Something that changes, and that is read in flights of which a test decides the end."""

    def __init__(self) -> None:
        self.flights: SingleFlight[int] = SingleFlight()
        self.version = 0
        self.begun: list[asyncio.Future[None]] = []
        self.in_flight = 0
        self.most_in_flight = 0

    def ask(self, key: str = "page") -> asyncio.Task[int]:
        """Ask for the version, in a flight."""
        return asyncio.create_task(self.flights.join(key, self._read))

    async def _read(self) -> int:
        landed = asyncio.get_running_loop().create_future()
        self.begun.append(landed)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        seen = self.version
        try:
            await landed
        finally:
            self.in_flight -= 1
        return seen

    async def settle(self) -> None:
        """Let everything happen that can happen by itself."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def land(self, error: Exception | None = None) -> None:
        """End the flight that began last."""
        assert self.in_flight == 1, "one flight at a time"
        if error:
            self.begun[-1].set_exception(error)
        else:
            self.begun[-1].set_result(None)
        await self.settle()


def runs(test: Callable[[World], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test in an event loop, with a world of its own."""

    def run() -> None:
        async def within() -> None:
            await asyncio.wait_for(test(World()), 10)

        asyncio.run(within())

    run.__doc__ = test.__doc__
    run.__name__ = test.__name__
    return run


@runs
async def test_who_asks_alone_is_answered(world: World) -> None:
    """By one call."""
    asked = world.ask()
    await world.settle()
    await world.land()
    assert await asked == 0
    assert len(world.begun) == 1


@runs
async def test_who_asks_at_once_shares_one_flight(world: World) -> None:
    """A hundred questions are one look."""
    asked = [world.ask() for _ in range(100)]
    await world.settle()
    await world.land()
    assert await asyncio.gather(*asked) == [0] * 100
    assert len(world.begun) == 1


@runs
async def test_who_asks_later_is_not_shown_what_is_older_than_the_question(world: World) -> None:
    """A change that a reader has seen is in all that the reader is shown from then on."""
    first = world.ask()
    await world.settle()
    world.version = 1  # after the first flight has read
    second = world.ask()
    await world.settle()
    await world.land()
    await world.land()
    assert (await first, await second) == (0, 1)


@runs
async def test_there_is_one_flight_at_a_time(world: World) -> None:
    """Who comes while it is under way waits, and all of them for the same next one."""
    waves = [world.ask()]
    for _ in range(5):
        await world.settle()
        waves += [world.ask(), world.ask()]
    while world.in_flight:
        await world.land()
    await asyncio.gather(*waves)
    assert len(world.begun) == 2
    assert world.most_in_flight == 1


@runs
async def test_different_things_do_not_wait_for_each_other(world: World) -> None:
    """A slow page holds up no other."""
    asked = [world.ask(key) for key in "abc"]
    await world.settle()
    assert world.in_flight == 3
    for landed in world.begun:
        landed.set_result(None)
    assert await asyncio.gather(*asked) == [0, 0, 0]


@runs
async def test_an_error_reaches_all_who_wait_for_it(world: World) -> None:
    """And nobody else."""
    asked = [world.ask(), world.ask()]
    await world.settle()
    later = world.ask()
    await world.land(OSError("away"))
    await world.land()
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OSError, OSError]
    assert await later == 0


@runs
async def test_after_an_error_one_may_ask_again(world: World) -> None:
    """It leaves nothing behind."""
    asked = world.ask()
    await world.settle()
    await world.land(OSError("away"))
    with pytest.raises(OSError, match="away"):
        await asked
    again = world.ask()
    await world.settle()
    await world.land()
    assert await again == 0


@pytest.mark.parametrize("leaves", [0, 1, 2])
def test_who_leaves_does_not_take_the_others_along(leaves: int) -> None:
    """Not even who came first: the call goes on for those who stay."""

    async def within() -> None:
        world = World()
        asked = [world.ask() for _ in range(3)]
        await world.settle()
        asked[leaves].cancel()
        await world.settle()
        await world.land()
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(outcomes.pop(leaves), asyncio.CancelledError)
        assert outcomes == [0, 0]

    asyncio.run(within())


@runs
async def test_who_leaves_while_waiting_for_the_next_flight_does_not_stop_it(world: World) -> None:
    """Those who wait with them are flown."""
    first, second, third = world.ask(), None, None
    await world.settle()
    second, third = world.ask(), world.ask()
    await world.settle()
    second.cancel()
    await world.settle()
    await world.land()
    await world.land()
    assert (await first, await third) == (0, 0)


@runs
async def test_a_flight_that_all_have_left_does_not_block_the_next(world: World) -> None:
    """Though it fails, with nobody there to be told; and nobody complains of that."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, why: complaints.append(why))
    asked = world.ask()
    await world.settle()
    asked.cancel()
    await world.settle()
    await world.land(OSError("away"))
    world.begun.clear()  # the error, whose traceback knows the flight
    gc.collect()
    assert complaints == []
    again = world.ask()
    await world.settle()
    await world.land()
    assert await again == 0


@given(st.lists(st.sampled_from(["ask", "change", "land", "wait", "leave"]), max_size=40))
def test_in_any_order_of_things_nobody_is_shown_the_past(steps: list[str]) -> None:
    """What one is shown is at least as new as one's question; one call is under way at a time."""

    async def within() -> None:
        world = World()
        asked: list[tuple[int, asyncio.Task[int]]] = []
        for step in steps:
            await _do(step, world, asked)
        await world.settle()
        while world.in_flight:
            await world.land()
        assert all(task.done() for _, task in asked)
        assert all(task.cancelled() or task.result() >= version for version, task in asked)
        assert world.most_in_flight <= 1

    asyncio.run(within())


async def _do(step: str, world: World, asked: list[tuple[int, asyncio.Task[int]]]) -> None:
    actions: dict[str, Callable[[], Awaitable[None]]] = {"wait": world.settle, "land": world.land}
    if step == "ask":
        asked.append((world.version, world.ask()))
    elif step == "change":
        world.version += 1
    elif step == "leave" and asked:
        asked[len(asked) // 2][1].cancel()
    elif step == "wait" or (step == "land" and world.in_flight):
        await actions[step]()
