"""One call for many concurrent callers, none of which gets a result older than its request."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs at most one call per key; callers that come during a call share the next one.

    To share the running call would be cheaper, but it might return what it read before a change
    that the caller has already seen.
    """

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[T]] = {}
        self._waiting: dict[Hashable, asyncio.Task[T]] = {}

    async def run(self, key: Hashable, call: Callable[[], Awaitable[T]]) -> T:
        """Return or raise the outcome of a `call` for this key that begins after this request."""
        if key not in self._waiting:
            self._waiting[key] = asyncio.create_task(self._run_next(key, call))
            self._waiting[key].add_done_callback(retrieve_exception)
        return await asyncio.shield(self._waiting[key])  # a caller's cancellation is its own

    async def _run_next(self, key: Hashable, call: Callable[[], Awaitable[T]]) -> T:
        if key in self._running:
            await asyncio.wait([self._running[key]])
        task = self._running[key] = self._waiting.pop(key)
        try:
            return await call()
        finally:
            if self._running[key] is task:
                del self._running[key]


def retrieve_exception(task: asyncio.Task[Any]) -> None:
    """Retrieve a task's exception, or asyncio logs it as never retrieved."""
    if not task.cancelled():
        task.exception()
