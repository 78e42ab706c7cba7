"""Flights: many calls for the same thing share one, and none gets what is older than itself."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Calls by key: whoever comes while one is under way waits for the next, together.

    To join a call that has begun already would be cheaper, but it might answer with what was
    read before a change that this caller has seen.
    """

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[T | Exception]] = {}
        self._boarding: dict[Hashable, asyncio.Task[T | Exception]] = {}

    async def join(self, key: Hashable, fly: Callable[[], Awaitable[T]]) -> T:
        """What `fly` returns or raises, called after this call for this key."""
        if key not in self._boarding:
            self._boarding[key] = asyncio.create_task(self._fly(key, fly))
        outcome = await asyncio.shield(self._boarding[key])  # who leaves must not end it for all
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _fly(self, key: Hashable, fly: Callable[[], Awaitable[T]]) -> T | Exception:
        # An error is returned: asyncio would log one that is raised once all callers have left.
        if key in self._under_way:
            await asyncio.wait([self._under_way[key]])
        flight = self._under_way[key] = self._boarding.pop(key)
        try:
            return await fly()
        except Exception as error:
            return error
        finally:
            if self._under_way[key] is flight:
                del self._under_way[key]
