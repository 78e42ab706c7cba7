"""The cache on a real Valkey: it never stores and never returns outdated pages."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

from functions.shared.redis.page_cache import PageCache
from functions.shared.redis.settings import RedisSettings
from local.stack.ports import HOST, free_port
from local.stack.stack import Stack
from tests.support.waiting import LIMIT_S

PAGE, CONTENT = ":50", b"a page"


def with_cache(stack: Stack, work: Callable[[PageCache], Awaitable[None]]) -> None:
    """Call `work` with a cache that has its own client."""

    async def run() -> None:
        settings = {"REDIS_URL": stack.redis_url, "REDIS_TIMEOUT_S": "5"}
        cache = PageCache(RedisSettings.model_validate(settings))
        try:
            await work(cache)
        finally:
            await cache.close()

    asyncio.run(run())


def test_a_page_is_cached_until_a_change(stack: Stack) -> None:
    """A stored page is returned; after a change it is gone."""
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        _, lease = await cache.lease(match_id, PAGE)
        assert lease
        await cache.fill(match_id, PAGE, CONTENT, lease)
        assert await cache.read(match_id, PAGE) == CONTENT
        async with cache.change({match_id}):
            assert await cache.read(match_id, PAGE) is None
        assert await cache.read(match_id, PAGE) is None

    with_cache(stack, work)


def test_a_page_read_before_a_change_is_not_cached_after_it(stack: Stack) -> None:
    """A slow reader would store an outdated page."""
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        _, lease = await cache.lease(match_id, PAGE)
        assert lease
        async with cache.change({match_id}):
            pass
        await cache.fill(match_id, PAGE, CONTENT, lease)
        assert await cache.read(match_id, PAGE) is None

    with_cache(stack, work)


def test_nothing_is_cached_during_a_change(stack: Stack) -> None:
    """No lease is given then."""
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        async with cache.change({match_id}):
            assert await cache.lease(match_id, PAGE) == (None, None)

    with_cache(stack, work)


def test_the_end_of_one_change_does_not_end_another(stack: Stack) -> None:
    """While any change is in progress, no page is stored."""
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        async with cache.change({match_id}):
            async with cache.change({match_id}):
                pass
            assert await cache.lease(match_id, PAGE) == (None, None)

    with_cache(stack, work)


def test_a_change_drops_only_its_own_match(stack: Stack) -> None:
    """The pages of another match stay."""
    match_id, other = uuid4(), uuid4()

    async def work(cache: PageCache) -> None:
        _, lease = await cache.lease(other, PAGE)
        assert lease
        await cache.fill(other, PAGE, CONTENT, lease)
        async with cache.change({match_id}):
            assert await cache.read(other, PAGE) == CONTENT

    with_cache(stack, work)


def test_nothing_is_cached_after_a_change_that_may_still_commit(stack: Stack) -> None:
    """Such as when the database times out, but commits later."""
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        with suppress(TimeoutError):
            async with cache.change({match_id}):
                raise TimeoutError
        assert await cache.lease(match_id, PAGE) == (None, None)

    with_cache(stack, work)


def test_more_calls_than_connections_wait_for_one(stack: Stack) -> None:
    """Under load calls queue for a connection instead of failing."""

    async def work(cache: PageCache) -> None:
        await asyncio.gather(*(cache.read(uuid4(), PAGE) for _ in range(100)))
        assert await cache.lease(uuid4(), PAGE) != (None, None)  # it does not count as unavailable

    with_cache(stack, work)


def test_an_unavailable_redis_costs_one_task_for_any_number_of_changes() -> None:
    """Pending invalidations are stored by match, and one task retries them."""

    async def run() -> None:
        cache = PageCache(
            RedisSettings.model_validate({"REDIS_URL": f"redis://{HOST}:{free_port()}"})
        )
        before = len(asyncio.all_tasks())
        for _ in range(50):
            async with cache.change({uuid4()}):
                pass
        assert len(asyncio.all_tasks()) <= before + 2  # one looks for it, and one drops
        await cache.close()

    asyncio.run(run())


def test_failed_invalidations_are_made_once_redis_is_back(stack: Stack) -> None:
    """An outdated page does not outlive the outage."""
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        _, lease = await cache.lease(match_id, PAGE)
        assert lease
        await cache.fill(match_id, PAGE, CONTENT, lease)
        stack.processes["valkey"].pause()
        try:
            quick = PageCache(RedisSettings.model_validate({"REDIS_URL": stack.redis_url}))
            async with quick.change({match_id}):
                pass
        finally:
            stack.processes["valkey"].resume()
        async with asyncio.timeout(LIMIT_S):
            while await cache.read(match_id, PAGE) is not None:
                await asyncio.sleep(0.01)
        await quick.close()

    with_cache(stack, work)
