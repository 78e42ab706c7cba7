"""A match whose revision in the database is known, and its list in caches that may be stale."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

from functions.shared.redis.page_cache import PageCache, keys_of
from functions.shared.redis.settings import RedisSettings
from tests.support.waiting import LIMIT_S

PAGE = ":50"
PAUSE_S = 0.002  # between two lists of one reader
STARTS_S = 0.05  # between two processes that start


def settings_of(url: str, **more: object) -> RedisSettings:
    """Return settings with time-outs that a busy machine does not exceed."""
    return RedisSettings.model_validate({"REDIS_URL": url, "REDIS_TIMEOUT_S": 0.5, **more})


async def until(condition: Callable[[], bool], within_s: float = LIMIT_S) -> None:
    """Wait for a condition, with a limit."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


def with_caches(
    settings: RedisSettings, work: Callable[[PageCache, PageCache], Awaitable[None]]
) -> None:
    """Call `work` with the caches of a reader and of a writer."""

    async def run() -> None:
        caches = [PageCache(settings) for _ in range(2)]
        try:
            await work(*caches)
        finally:
            for cache in caches:
                await cache.close()
            await asyncio.sleep(0.01)  # transports are closed in the loop's next rounds

    asyncio.run(run())


class CachedMatch:
    """A match that has only a revision, and measures how long readers got a stale one.

    A list is stale if its revision was no longer the latest when the reader asked.
    """

    def __init__(self) -> None:
        self.id = uuid4()
        self.pages, self.lease, self.changes = keys_of(self.id)
        self.revision = 0
        self.stale_s = 0.0
        self._committed_at = [time.monotonic()]

    async def list(self, cache: PageCache) -> int:
        """Return the revision that list-highlights would return."""
        asked_for, asked_at = self.revision, time.monotonic()
        shown = await self._list(cache)
        if shown < asked_for:
            self.stale_s = max(self.stale_s, asked_at - self._committed_at[shown + 1])
        return shown

    async def change(self, cache: PageCache) -> float:
        """Commit the next revision, as consume-goal would; return the seconds that it took."""
        began = time.monotonic()
        async with cache.change({self.id}):
            self._committed_at.append(time.monotonic())
            self.revision += 1
        return time.monotonic() - began

    async def until_cached(self, cache: PageCache, within_s: float = LIMIT_S) -> None:
        """Wait until the cache has the latest revision."""
        async with asyncio.timeout(within_s):
            while await cache.read(self.id, PAGE) != str(self.revision).encode():
                await self.list(cache)
                await asyncio.sleep(PAUSE_S)

    @asynccontextmanager
    async def listing(self, reader: PageCache, settings: RedisSettings) -> AsyncIterator[None]:
        """List continuously during the block, with one reader and with newly started ones."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as watchers:
            watchers.create_task(self._keep_listing(reader, over))
            watchers.create_task(self._keep_starting(settings, over))
            try:
                yield
            finally:
                over.set()

    async def _list(self, cache: PageCache) -> int:
        kept, lease = await cache.read(self.id, PAGE), None
        if kept is None:
            kept, lease = await cache.lease(self.id, PAGE)
        if kept:
            return int(kept)
        revision = self.revision
        if lease:
            await cache.fill(self.id, PAGE, str(revision).encode(), lease)
        return revision

    async def _keep_listing(self, reader: PageCache, over: asyncio.Event) -> None:
        while not over.is_set():
            await self.list(reader)
            await asyncio.sleep(PAUSE_S)

    async def _keep_starting(self, settings: RedisSettings, over: asyncio.Event) -> None:
        while not over.is_set():
            cache = PageCache(settings)
            await self.list(cache)
            await cache.close()
            await asyncio.sleep(STARTS_S)
