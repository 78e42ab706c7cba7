"""One call for many concurrent callers, none of which gets a result older than its request."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs at most one call per key; callers that come during a call share the next one.

    To share the running call would be cheaper, but it might return what it read before a change
    that the caller has already seen.
    """

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[T | Exception]] = {}
        self._waiting: dict[Hashable, asyncio.Task[T | Exception]] = {}

    async def run(self, key: Hashable, call: Callable[[], Awaitable[T]]) -> T:
        """Return or raise the outcome of a `call` for this key that begins after this request."""
        if key not in self._waiting:
            self._waiting[key] = asyncio.create_task(self._run_next(key, call))
        outcome = await asyncio.shield(self._waiting[key])  # a caller's cancellation is its own
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _run_next(self, key: Hashable, call: Callable[[], Awaitable[T]]) -> T | Exception:
        # An error is returned: asyncio would log one that is raised once all callers have left.
        if key in self._running:
            await asyncio.wait([self._running[key]])
        task = self._running[key] = self._waiting.pop(key)
        try:
            return await call()
        except Exception as error:
            return error
        finally:
            if self._running[key] is task:
                del self._running[key]
