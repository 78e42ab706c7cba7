"""Items that are submitted in one iteration of the event loop are processed together."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps

import pytest

from functions.shared.concurrency.micro_batch import Batch, MicroBatcher


def in_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run a test in an event loop of its own."""

    @wraps(test)
    def run() -> None:
        async def within() -> None:
            await test()

        asyncio.run(within())

    return run


@in_loop
async def test_items_of_one_loop_iteration_are_processed_together() -> None:
    """In the order of arrival; an item that comes later is processed later."""
    batches: list[list[str]] = []

    def process(batch: Batch[str]) -> None:
        batches.append([item for item, _ in batch])
        for _, done in batch:
            done.set_result(None)

    batcher = MicroBatcher(process)
    await asyncio.gather(batcher.submit("a"), batcher.submit("b"))
    await batcher.submit("c")
    assert batches == [["a", "b"], ["c"]]


@in_loop
async def test_each_item_has_its_own_outcome() -> None:
    """One that is refused does not fail the others."""

    def process(batch: Batch[str]) -> None:
        (_, first), (_, second) = batch
        first.set_exception(ValueError("first"))
        second.set_result(None)

    batcher = MicroBatcher(process)
    first, second = await asyncio.gather(
        batcher.submit("a"), batcher.submit("b"), return_exceptions=True
    )
    assert isinstance(first, ValueError)
    assert second is None


@in_loop
async def test_an_error_of_processing_reaches_every_waiting_caller() -> None:
    """But not those whose item is done already."""

    def process(batch: Batch[str]) -> None:
        batch[0][1].set_result(None)
        raise RuntimeError("broken")

    batcher = MicroBatcher(process)
    done, waiting = await asyncio.gather(
        batcher.submit("a"), batcher.submit("b"), return_exceptions=True
    )
    assert done is None
    assert isinstance(waiting, RuntimeError)


@in_loop
async def test_a_cancelled_caller_does_not_disturb_the_others() -> None:
    """A request may be cancelled before or after its item is processed."""

    def process(batch: Batch[str]) -> None:
        for _, done in batch:
            done.set_result(None)

    batcher = MicroBatcher(process)
    cancelled = asyncio.create_task(batcher.submit("a"))
    other = asyncio.create_task(batcher.submit("b"))
    await asyncio.wait([cancelled, other], timeout=0)
    cancelled.cancel()
    await other
    with pytest.raises(asyncio.CancelledError):
        await cancelled
