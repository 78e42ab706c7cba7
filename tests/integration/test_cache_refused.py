"""A Redis that refuses writes: pages that it could not invalidate are shown to nobody."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from functions.shared.redis.page_cache import PageCache
from tests.support.drivers.cached_match import PAGE, CachedMatch, settings_of, until, with_caches
from tests.support.servers.redis_server import RedisServer, redis_server
from tests.support.waiting import eventually

TTL_S = 1
SECONDS = 5  # within which the cache works again


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The server of all tests of this file."""
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


def follow_nobody(server: RedisServer) -> None:
    """Make it the replica of a primary that does not exist."""
    server.admin.execute_command("REPLICAOF", "127.0.0.1", "1")


def need_a_replica(server: RedisServer) -> None:
    """Require a replica for writes, without having one."""
    server.admin.config_set("min-replicas-to-write", 1)


def be_full(server: RedisServer) -> None:
    """Fill its memory, with nothing that may be evicted."""
    server.admin.config_set("maxmemory-policy", "noeviction")
    server.admin.config_set("maxmemory", 1)


def fail_to_save(server: RedisServer) -> None:
    """Make a snapshot fail: a folder has its name, and writes are refused until one succeeds."""
    (server.folder / "dump.rdb").mkdir(exist_ok=True)
    server.admin.config_set("save", "3600 1")
    server.admin.bgsave()

    def has_failed() -> bool:
        state = server.admin.info("persistence")
        return bool(
            state["rdb_last_bgsave_status"] == "err" and not state["rdb_bgsave_in_progress"]
        )

    eventually(has_failed)


def accept(server: RedisServer) -> None:
    """Accept writes again, whatever the reason for refusing them was."""
    server.follow(None)
    for name, value in (("min-replicas-to-write", 0), ("maxmemory", 0), ("save", "")):
        server.admin.config_set(name, value)


REFUSALS = {
    "READONLY": follow_nobody,
    "NOREPLICAS": need_a_replica,
    "OOM": be_full,
    "MISCONF": fail_to_save,
}


@pytest.fixture(params=REFUSALS)
def refuse(request: pytest.FixtureRequest, server: RedisServer) -> Iterator[Callable[[], None]]:
    """A callback that makes the server refuse writes until the end of the test."""
    yield lambda: REFUSALS[request.param](server)
    accept(server)


def test_a_node_that_refuses_writes_is_not_read(
    server: RedisServer, refuse: Callable[[], None]
) -> None:
    """Changes meanwhile are visible at once; afterwards the cache works within seconds."""
    match = CachedMatch()
    settings = settings_of(server.url, CACHE_TTL_S=TTL_S)

    async def work(reader: PageCache, writer: PageCache) -> None:
        await match.until_cached(reader)
        async with match.listing(reader, settings):
            refuse()
            await match.change(writer)
            await match.list(reader)
            accept(server)
            await match.until_cached(reader, SECONDS)
            await match.change(writer)
            await match.until_cached(reader, SECONDS)

    with_caches(settings_of(server.url, CACHE_TTL_S=TTL_S), work)
    assert match.stale_s == 0


def test_a_reader_notices_by_itself(server: RedisServer, refuse: Callable[[], None]) -> None:
    """Even if it only reads and nothing has changed: storing a page is a write too."""
    match = CachedMatch()

    async def work(reader: PageCache, _: PageCache) -> None:
        await match.until_cached(reader)
        refuse()
        before = server.errors()
        assert await match.list(reader) == 0
        assert server.errors() > before

    with_caches(settings_of(server.url, CACHE_TTL_S=10), work)


def test_a_refusal_drops_all_connections(server: RedisServer, refuse: Callable[[], None]) -> None:
    """New connections reach a new primary; old ones would stay with the old primary."""
    match = CachedMatch()

    async def work(reader: PageCache, _: PageCache) -> None:
        await asyncio.gather(*(match.list(reader) for _ in range(8)))
        before = server.clients()
        assert len(before) > 1
        refuse()
        await match.list(reader)
        await until(lambda: not before & server.clients())

    with_caches(settings_of(server.url, CACHE_TTL_S=TTL_S), work)


def test_a_change_waits_out_a_short_refusal(server: RedisServer) -> None:
    """It invalidates as soon as writes are accepted, so other readers see nothing outdated."""
    match = CachedMatch()

    async def work(reader: PageCache, writer: PageCache) -> None:
        await match.until_cached(reader)
        before = server.errors()
        need_a_replica(server)
        change = asyncio.create_task(match.change(writer))
        await until(lambda: server.errors() > before + 2)  # it tries again and again
        assert not change.done()
        accept(server)
        assert await change < SECONDS
        assert await match.list(reader) == 1

    with_caches(settings_of(server.url, CACHE_TTL_S=10), work)


def test_only_the_first_change_of_an_outage_waits(server: RedisServer) -> None:
    """Afterwards no page from before is left, and none can have been stored since."""
    match = CachedMatch()

    async def work(_: PageCache, writer: PageCache) -> None:
        need_a_replica(server)
        waited_s = [await match.change(writer) for _ in range(3)]
        accept(server)
        assert waited_s[0] > TTL_S > 2 * max(waited_s[1:])

    with_caches(settings_of(server.url, CACHE_TTL_S=TTL_S), work)


def test_a_page_that_was_read_before_an_outage_is_not_kept_after_it(server: RedisServer) -> None:
    """A slow reader's lease has expired, though the change could not delete it."""
    match = CachedMatch()

    async def work(reader: PageCache, writer: PageCache) -> None:
        _, lease = await reader.lease(match.id, PAGE)
        assert lease
        need_a_replica(server)
        await match.change(writer)
        accept(server)
        await reader.fill(match.id, PAGE, b"0", lease)
        assert await match.list(reader) == 1

    with_caches(settings_of(server.url, CACHE_TTL_S=TTL_S), work)
