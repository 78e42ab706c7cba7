"""The cache on a real Valkey: it never stores and never returns outdated pages."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from functions.shared.redis import page_cache
from functions.shared.redis.page_cache import CLAIM_S, PageCache
from functions.shared.redis.settings import RedisSettings
from local.stack.ports import HOST, free_port
from local.stack.stack import Stack
from tests.support.servers.redis_server import redis_server
from tests.support.waiting import LIMIT_S

PAGE, CONTENT = ":50", b"a page"
SETTLING_S = 0.3


def with_cache(redis_url: str, work: Callable[[PageCache], Awaitable[None]]) -> None:
    """Call `work` with a cache that has its own client."""

    async def run() -> None:
        settings = {"REDIS_URL": redis_url, "REDIS_TIMEOUT_S": "5"}
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

    with_cache(stack.redis_url, work)


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

    with_cache(stack.redis_url, work)


def test_nothing_is_cached_during_a_change(stack: Stack) -> None:
    """No lease is given then."""
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        async with cache.change({match_id}):
            assert await cache.lease(match_id, PAGE) == (None, None)

    with_cache(stack.redis_url, work)


def test_the_end_of_one_change_does_not_end_another(stack: Stack) -> None:
    """While any change is in progress, no page is stored."""
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        async with cache.change({match_id}):
            async with cache.change({match_id}):
                pass
            assert await cache.lease(match_id, PAGE) == (None, None)

    with_cache(stack.redis_url, work)


def test_a_change_drops_only_its_own_match(stack: Stack) -> None:
    """The pages of another match stay."""
    match_id, other = uuid4(), uuid4()

    async def work(cache: PageCache) -> None:
        _, lease = await cache.lease(other, PAGE)
        assert lease
        await cache.fill(other, PAGE, CONTENT, lease)
        async with cache.change({match_id}):
            assert await cache.read(other, PAGE) == CONTENT

    with_cache(stack.redis_url, work)


def test_nothing_is_cached_after_a_change_that_may_still_commit(stack: Stack) -> None:
    """Such as when the database times out, but commits later."""
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        with suppress(TimeoutError):
            async with cache.change({match_id}):
                raise TimeoutError
        assert await cache.lease(match_id, PAGE) == (None, None)

    with_cache(stack.redis_url, work)


def test_an_empty_redis_gives_no_lease_until_no_change_can_be_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have forgotten a change that has still to commit."""
    monkeypatch.setattr(page_cache, "SETTLING_S", SETTLING_S)
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        async with cache.change({match_id}):
            server.admin.flushall()
            assert await cache.lease(match_id, PAGE) == (None, None)
        began = time.monotonic()
        async with asyncio.timeout(LIMIT_S):
            while await cache.lease(match_id, PAGE) == (None, None):
                await asyncio.sleep(0.01)
        assert time.monotonic() - began > SETTLING_S / 2

    with redis_server(tmp_path) as server:
        with_cache(server.url, work)


def test_one_of_several_readers_reads_a_page(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others get it as soon as it is cached."""
    monkeypatch.setattr(page_cache, "CLAIM_S", LIMIT_S)
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        _, lease = await cache.lease(match_id, PAGE)
        assert lease
        others = [asyncio.create_task(cache.lease(match_id, PAGE)) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert not any(other.done() for other in others)
        await cache.fill(match_id, PAGE, CONTENT, lease)
        assert await asyncio.gather(*others) == [(CONTENT, None)] * 3

    with_cache(stack.redis_url, work)


def test_a_reader_that_dies_delays_others_for_a_moment(stack: Stack) -> None:
    """Then they read the page, and one of them may cache it."""
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        began = time.monotonic()
        _, dead = await cache.lease(match_id, PAGE)
        assert dead
        content, _ = await cache.lease(match_id, PAGE)
        assert content is None
        assert CLAIM_S / 2 < time.monotonic() - began < 1
        await asyncio.sleep(CLAIM_S)
        assert await cache.lease(match_id, PAGE) == (None, dead)

    with_cache(stack.redis_url, work)


def test_another_page_of_a_match_waits_for_nobody(stack: Stack) -> None:
    """And a change ends the claims of the match, whose pages will not be cached."""
    match_id = uuid4()

    async def work(cache: PageCache) -> None:
        _, lease = await cache.lease(match_id, PAGE)
        assert await cache.lease(match_id, "READY:50") == (None, lease)
        async with cache.change({match_id}):
            pass
        _, later = await cache.lease(match_id, PAGE)
        assert later not in (None, lease)

    with_cache(stack.redis_url, work)


def test_more_calls_than_connections_wait_for_one(stack: Stack) -> None:
    """Under load calls queue for a connection instead of failing."""

    async def work(cache: PageCache) -> None:
        await asyncio.gather(*(cache.read(uuid4(), PAGE) for _ in range(100)))
        assert await cache.lease(uuid4(), PAGE) != (None, None)  # it does not count as unavailable

    with_cache(stack.redis_url, work)


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

    with_cache(stack.redis_url, work)
