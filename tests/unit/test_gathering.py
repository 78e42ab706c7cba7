"""Gatherings: what comes in one turn of the loop is taken together, and nobody waits for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps

import pytest

from functions.shared.concurrency.micro_batch import Gathered, MicroBatcher


def runs(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """The test, in an event loop of its own."""

    @wraps(test)
    def run() -> None:
        async def within() -> None:
            await test()

        asyncio.run(within())

    return run


@runs
async def test_what_comes_in_one_turn_is_taken_together() -> None:
    """In the order of arrival; what comes later is taken later."""
    taken: list[list[str]] = []

    def take(gathered: Gathered[str]) -> None:
        taken.append([item for item, _ in gathered])
        for _, ended in gathered:
            ended.set_result(None)

    gathering = MicroBatcher(take)
    await asyncio.gather(gathering.join("a"), gathering.join("b"))
    await gathering.join("c")
    assert taken == [["a", "b"], ["c"]]


@runs
async def test_each_ends_for_itself() -> None:
    """One that is refused does not fail the others."""

    def take(gathered: Gathered[str]) -> None:
        (_, first), (_, second) = gathered
        first.set_exception(ValueError("first"))
        second.set_result(None)

    gathering = MicroBatcher(take)
    first, second = await asyncio.gather(
        gathering.join("a"), gathering.join("b"), return_exceptions=True
    )
    assert isinstance(first, ValueError)
    assert second is None


@runs
async def test_an_error_of_taking_reaches_all_who_wait() -> None:
    """But not those who have been told already."""

    def take(gathered: Gathered[str]) -> None:
        gathered[0][1].set_result(None)
        raise RuntimeError("broken")

    gathering = MicroBatcher(take)
    told, waiting = await asyncio.gather(
        gathering.join("a"), gathering.join("b"), return_exceptions=True
    )
    assert told is None
    assert isinstance(waiting, RuntimeError)


@runs
async def test_who_has_left_disturbs_nobody() -> None:
    """A request may be cancelled before or after its item is taken."""

    def take(gathered: Gathered[str]) -> None:
        for _, ended in gathered:
            ended.set_result(None)

    gathering = MicroBatcher(take)
    leaver = asyncio.create_task(gathering.join("a"))
    stayer = asyncio.create_task(gathering.join("b"))
    await asyncio.wait([leaver, stayer], timeout=0)
    leaver.cancel()
    await stayer
    with pytest.raises(asyncio.CancelledError):
        await leaver
