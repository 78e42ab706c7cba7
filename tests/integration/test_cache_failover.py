"""Redis fail-over and restored snapshots: for how long lists are stale."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.shared.redis.page_cache import PageCache
from functions.shared.redis.settings import RedisSettings
from local.stack.ports import free_port
from local.stack.services import valkey
from tests.support.drivers.cached_match import PAGE, CachedMatch, settings_of, until, with_caches
from tests.support.servers.redis_server import RedisServer, redis_server
from tests.support.servers.relay import Relay

TTL_S = 2  # the default, which the limits in docs/operations.md name
BOUND_S = TTL_S + 0.1  # what Redis' clock may lag behind
SECONDS = 6  # within which the cache works again
MAX_AGE_S = 1


@pytest.fixture
def old(tmp_path: Path) -> Iterator[RedisServer]:
    """The server behind the address at first."""
    with redis_server(tmp_path / "old") as running:
        yield running


@pytest.fixture
def new(tmp_path: Path) -> Iterator[RedisServer]:
    """The server behind the address after the fail-over."""
    with redis_server(tmp_path / "new") as running:
        yield running


@pytest.fixture
def replica(old: RedisServer, new: RedisServer) -> RedisServer:
    """The new server, as a replica of the old one."""
    new.follow(old)
    new.until_replicated()
    return new


@pytest.fixture
def relay(old: RedisServer) -> Iterator[Relay]:
    """The address."""
    with Relay(old.port) as running:
        yield running


@pytest.fixture
def settings(relay: Relay) -> RedisSettings:
    """The settings of a cache at the address."""
    return settings_of(valkey.url(relay.port), REDIS_MAX_AGE_S=MAX_AGE_S)


async def kept(server: RedisServer, match: CachedMatch) -> None:
    """Wait until a server keeps the latest revision of a match."""
    latest = str(match.revision).encode()
    await until(lambda: server.admin.hget(match.pages, PAGE) == latest, SECONDS)


def test_a_fail_over_shows_nobody_a_stale_list(
    old: RedisServer, replica: RedisServer, relay: Relay, settings: RedisSettings
) -> None:
    """The old primary becomes a replica, and connections to it stay open."""
    match = CachedMatch()
    lasting = settings.model_copy(update={"redis_max_age_s": 60})

    async def work(reader: PageCache, writer: PageCache) -> None:
        await match.change(writer)  # both have connections to the old one
        async with match.listing(reader, lasting):
            await kept(replica, match)
            relay.lead_to(replica.port)
            replica.follow(None)
            old.follow(replica)
            await match.change(writer)
            await match.until_cached(reader, SECONDS)
            await match.change(writer)
            await kept(replica, match)

    with_caches(lasting, work)
    assert match.stale_s == 0


def test_a_fail_over_that_loses_a_change_makes_lists_stale_for_the_ttl_at_most(
    old: RedisServer, replica: RedisServer, relay: Relay, settings: RedisSettings
) -> None:
    """The promoted replica never received the last invalidation."""
    match = CachedMatch()

    async def work(reader: PageCache, writer: PageCache) -> None:
        async with match.listing(reader, settings):
            await kept(replica, match)
            replica.follow(None)
            await match.change(writer)
            relay.lead_to(replica.port)
            old.process.stop()
            await match.until_cached(reader, SECONDS)
            await kept(replica, match)

    with_caches(settings, work)
    assert match.stale_s < BOUND_S


def test_an_old_snapshot_makes_lists_stale_for_the_ttl_at_most(
    old: RedisServer, settings: RedisSettings
) -> None:
    """Redis crashes, and restores a page from before a change."""
    match = CachedMatch()

    async def work(reader: PageCache, writer: PageCache) -> None:
        async with match.listing(reader, settings):
            await kept(old, match)
            old.admin.save()
            await match.change(writer)
            old.process.kill()
            await match.until_cached(reader, SECONDS)

    with_caches(settings, work)
    assert match.stale_s < BOUND_S


def test_two_primaries_make_lists_stale_for_the_ttl_at_most(
    old: RedisServer, new: RedisServer, relay: Relay, settings: RedisSettings
) -> None:
    """The address leads to a new server; the old one still accepts writes on open connections.

    Who stayed finds the new one when a connection has become `REDIS_MAX_AGE_S` old, though it is
    in use all the time.
    """
    match = CachedMatch()

    async def work(reader: PageCache, writer: PageCache) -> None:
        async with match.listing(reader, settings):
            await kept(old, match)
            relay.lead_to(new.port)
            await match.change(writer)  # its first connection
            await kept(new, match)
            await until(lambda: not old.clients(), SECONDS)
            await match.change(writer)

    with_caches(settings, work)
    assert match.stale_s < BOUND_S


def test_while_only_readers_reach_redis_lists_are_stale_for_the_ttl_at_most(
    old: RedisServer, relay: Relay, settings: RedisSettings
) -> None:
    """The first change waits for the TTL, and the second is not delayed too."""
    match = CachedMatch()
    direct = settings_of(old.url)

    async def work(_: PageCache, writer: PageCache) -> None:
        reader = PageCache(direct)
        await match.change(writer)
        async with match.listing(reader, direct):
            relay.lead_to(free_port())
            relay.blackhole()
            waited_s = [await match.change(writer) for _ in range(2)]
            assert 2 * TTL_S > waited_s[0] > TTL_S > 2 * waited_s[1]
            await match.until_cached(reader, SECONDS)
        await reader.close()

    with_caches(settings, work)
    assert match.stale_s < BOUND_S
