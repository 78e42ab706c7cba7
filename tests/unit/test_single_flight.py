"""Concurrent calls for the same key share one call, and none gets a result older than itself."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.concurrency.single_flight import SingleFlight


class VersionReader:
    """A version that changes, and calls that read it and end when a test says so."""

    def __init__(self) -> None:
        self.single_flight: SingleFlight[int] = SingleFlight()
        self.version = 0
        self.calls: list[asyncio.Future[None]] = []
        self.running = 0
        self.most_running = 0

    def request(self, key: str = "page") -> asyncio.Task[int]:
        """Request the version."""
        return asyncio.create_task(self.single_flight.run(key, self._read))

    async def _read(self) -> int:
        ended = asyncio.get_running_loop().create_future()
        self.calls.append(ended)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        seen = self.version
        try:
            await ended
        finally:
            self.running -= 1
        return seen

    async def settle(self) -> None:
        """Run all tasks that can run."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def end_call(self, error: Exception | None = None) -> None:
        """End the call that began last."""
        assert self.running == 1, "one call at a time"
        if error:
            self.calls[-1].set_exception(error)
        else:
            self.calls[-1].set_result(None)
        await self.settle()


def in_loop(test: Callable[[VersionReader], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test in an event loop, with a reader of its own."""

    def run() -> None:
        async def within() -> None:
            await asyncio.wait_for(test(VersionReader()), 10)

        asyncio.run(within())

    run.__doc__ = test.__doc__
    run.__name__ = test.__name__
    return run


@in_loop
async def test_a_lone_request_makes_one_call(reader: VersionReader) -> None:
    """And returns its result."""
    request = reader.request()
    await reader.settle()
    await reader.end_call()
    assert await request == 0
    assert len(reader.calls) == 1


@in_loop
async def test_concurrent_requests_share_one_call(reader: VersionReader) -> None:
    """A hundred requests, one call."""
    requests = [reader.request() for _ in range(100)]
    await reader.settle()
    await reader.end_call()
    assert await asyncio.gather(*requests) == [0] * 100
    assert len(reader.calls) == 1


@in_loop
async def test_a_result_is_never_older_than_its_request(reader: VersionReader) -> None:
    """A change that a reader has seen is in all that the reader gets from then on."""
    first = reader.request()
    await reader.settle()
    reader.version = 1  # after the first call has read
    second = reader.request()
    await reader.settle()
    await reader.end_call()
    await reader.end_call()
    assert (await first, await second) == (0, 1)


@in_loop
async def test_one_call_runs_at_a_time(reader: VersionReader) -> None:
    """All requests that come during a call wait for the same next one."""
    requests = [reader.request()]
    for _ in range(5):
        await reader.settle()
        requests += [reader.request(), reader.request()]
    while reader.running:
        await reader.end_call()
    await asyncio.gather(*requests)
    assert len(reader.calls) == 2
    assert reader.most_running == 1


@in_loop
async def test_calls_for_different_keys_run_at_once(reader: VersionReader) -> None:
    """A slow page delays no other."""
    requests = [reader.request(key) for key in "abc"]
    await reader.settle()
    assert reader.running == 3
    for ended in reader.calls:
        ended.set_result(None)
    assert await asyncio.gather(*requests) == [0, 0, 0]


@in_loop
async def test_an_error_reaches_all_requests_that_share_the_call(reader: VersionReader) -> None:
    """And no other request."""
    requests = [reader.request(), reader.request()]
    await reader.settle()
    later = reader.request()
    await reader.end_call(OSError("away"))
    await reader.end_call()
    outcomes = await asyncio.gather(*requests, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OSError, OSError]
    assert await later == 0


@in_loop
async def test_a_request_after_an_error_makes_a_new_call(reader: VersionReader) -> None:
    """The error is not remembered."""
    request = reader.request()
    await reader.settle()
    await reader.end_call(OSError("away"))
    with pytest.raises(OSError, match="away"):
        await request
    again = reader.request()
    await reader.settle()
    await reader.end_call()
    assert await again == 0


@pytest.mark.parametrize("cancelled", [0, 1, 2])
def test_a_cancelled_request_does_not_cancel_the_others(cancelled: int) -> None:
    """Not even the first one: the call goes on for the rest."""

    async def within() -> None:
        reader = VersionReader()
        requests = [reader.request() for _ in range(3)]
        await reader.settle()
        requests[cancelled].cancel()
        await reader.settle()
        await reader.end_call()
        outcomes = await asyncio.gather(*requests, return_exceptions=True)
        assert isinstance(outcomes.pop(cancelled), asyncio.CancelledError)
        assert outcomes == [0, 0]

    asyncio.run(within())


@in_loop
async def test_a_request_cancelled_while_it_waits_does_not_stop_the_next_call(
    reader: VersionReader,
) -> None:
    """The others that wait for the call get its result."""
    first, second, third = reader.request(), None, None
    await reader.settle()
    second, third = reader.request(), reader.request()
    await reader.settle()
    second.cancel()
    await reader.settle()
    await reader.end_call()
    await reader.end_call()
    assert (await first, await third) == (0, 0)


@in_loop
async def test_a_failed_call_whose_requests_are_cancelled_does_not_block_the_next(
    reader: VersionReader,
) -> None:
    """And asyncio does not report its exception as never retrieved."""
    reports: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
    request = reader.request()
    await reader.settle()
    request.cancel()
    await reader.settle()
    await reader.end_call(OSError("away"))
    reader.calls.clear()  # the error, whose traceback refers to the call
    gc.collect()
    assert reports == []
    again = reader.request()
    await reader.settle()
    await reader.end_call()
    assert await again == 0


@given(st.lists(st.sampled_from(["request", "change", "end", "wait", "cancel"]), max_size=40))
def test_in_any_order_of_steps_no_result_is_older_than_its_request(steps: list[str]) -> None:
    """And one call runs at a time."""

    async def within() -> None:
        reader = VersionReader()
        requests: list[tuple[int, asyncio.Task[int]]] = []
        for step in steps:
            await _take_step(step, reader, requests)
        await reader.settle()
        while reader.running:
            await reader.end_call()
        assert all(task.done() for _, task in requests)
        assert all(task.cancelled() or task.result() >= version for version, task in requests)
        assert reader.most_running <= 1

    asyncio.run(within())


async def _take_step(
    step: str, reader: VersionReader, requests: list[tuple[int, asyncio.Task[int]]]
) -> None:
    actions: dict[str, Callable[[], Awaitable[None]]] = {
        "wait": reader.settle,
        "end": reader.end_call,
    }
    if step == "request":
        requests.append((reader.version, reader.request()))
    elif step == "change":
        reader.version += 1
    elif step == "cancel" and requests:
        requests[len(requests) // 2][1].cancel()
    elif step == "wait" or (step == "end" and reader.running):
        await actions[step]()
