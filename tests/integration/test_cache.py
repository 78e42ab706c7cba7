"""The cache, on a real Valkey: it never keeps, and never shows, what a change made past."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from functions.shared.cache import Cache
from functions.shared.settings import RedisSettings
from local.embedded.stack import Stack

PAGE, CONTENT = ":50", b"a page"


def with_cache(stack: Stack, work: Callable[[Cache], Awaitable[None]]) -> None:
    """Work with a cache of its own client."""

    async def run() -> None:
        settings = {"REDIS_URL": stack.redis_url, "REDIS_TIMEOUT_S": "5"}
        cache = Cache(RedisSettings.model_validate(settings))
        try:
            await work(cache)
        finally:
            await cache.close()

    asyncio.run(run())


def test_a_page_is_kept_until_a_change(stack: Stack) -> None:
    """What was filled is read; after a change it is gone."""
    match_id = uuid4()

    async def work(cache: Cache) -> None:
        lease = await cache.lease(match_id)
        assert lease
        await cache.fill(match_id, PAGE, CONTENT, lease)
        assert await cache.read(match_id, PAGE) == CONTENT
        async with cache.change({match_id}):
            assert await cache.read(match_id, PAGE) is None
        assert await cache.read(match_id, PAGE) is None

    with_cache(stack, work)


def test_a_page_read_before_a_change_is_not_kept_after_it(stack: Stack) -> None:
    """A reader who was slow brings what is past."""
    match_id = uuid4()

    async def work(cache: Cache) -> None:
        lease = await cache.lease(match_id)
        assert lease
        async with cache.change({match_id}):
            pass
        await cache.fill(match_id, PAGE, CONTENT, lease)
        assert await cache.read(match_id, PAGE) is None

    with_cache(stack, work)


def test_nothing_is_kept_while_a_change_is_under_way(stack: Stack) -> None:
    """Even a lease that was taken after the change began keeps nothing before its end."""
    match_id = uuid4()

    async def work(cache: Cache) -> None:
        async with cache.change({match_id}):
            lease = await cache.lease(match_id)
            assert lease
            await cache.fill(match_id, PAGE, CONTENT, lease)
            assert await cache.read(match_id, PAGE) is None
        await cache.fill(match_id, PAGE, CONTENT, lease)
        assert await cache.read(match_id, PAGE) is None

    with_cache(stack, work)


def test_one_of_two_changes_that_ends_does_not_end_the_other(stack: Stack) -> None:
    """As long as any change is under way, nothing is kept."""
    match_id = uuid4()

    async def work(cache: Cache) -> None:
        async with cache.change({match_id}):
            async with cache.change({match_id}):
                pass
            lease = await cache.lease(match_id)
            assert lease
            await cache.fill(match_id, PAGE, CONTENT, lease)
            assert await cache.read(match_id, PAGE) is None

    with_cache(stack, work)


def test_a_change_drops_only_its_own_match(stack: Stack) -> None:
    """The pages of another match stay."""
    match_id, other = uuid4(), uuid4()

    async def work(cache: Cache) -> None:
        lease = await cache.lease(other)
        assert lease
        await cache.fill(other, PAGE, CONTENT, lease)
        async with cache.change({match_id}):
            assert await cache.read(other, PAGE) == CONTENT

    with_cache(stack, work)
