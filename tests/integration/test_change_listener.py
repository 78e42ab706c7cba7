"""The listener to announced changes, on a Valkey that restarts and changes its password."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from functions.shared.redis.change_listener import ChangeListener
from functions.shared.redis.page_cache import PageCache
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.load import load
from local.stack.ports import HOST
from tests.support.servers.redis_server import RedisServer, redis_server

LIMIT_S = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server for one test."""
    with redis_server(tmp_path / "redis") as running:
        yield running


def test_it_listens_again_after_a_restart_and_with_a_new_password(
    server: RedisServer, tmp_path: Path
) -> None:
    """It also wakes when it listens again: something may have been announced meanwhile."""
    password = tmp_path / "password"
    password.write_text("goalstream")
    url = f"redis://goalstream@{HOST}:{server.port}/0"
    settings = load(RedisSettings, {"REDIS_URL": url, "REDIS_PASSWORD_FILE": str(password)})

    async def work() -> None:
        woken = asyncio.Event()
        listening = asyncio.create_task(ChangeListener(settings).listen(woken.set))
        await wait_for(woken)
        await announce(server)
        await wait_for(woken)
        await asyncio.to_thread(server.process.restart)
        await wait_for(woken)
        password.write_text("another")
        server.admin.execute_command("ACL", "SETUSER", "goalstream", "resetpass", ">another")
        server.admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await wait_for(woken)
        await announce(server)
        await wait_for(woken)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening

    asyncio.run(work())
    assert not server.clients()


def test_a_shorter_life_of_a_connection_loses_nothing(server: RedisServer) -> None:
    """It is opened again every REDIS_MAX_AGE_S."""
    settings = load(RedisSettings, {"REDIS_URL": server.url, "REDIS_MAX_AGE_S": "0.001"})

    async def work() -> None:
        woken = asyncio.Event()
        listening = asyncio.create_task(ChangeListener(settings).listen(woken.set))
        for _ in range(5):
            await wait_for(woken)
            await announce(server)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening

    asyncio.run(work())


async def announce(server: RedisServer) -> None:
    """Announce a change, as a function does that makes one."""
    cache = PageCache(load(RedisSettings, {"REDIS_URL": server.url, "REDIS_TIMEOUT_S": "5"}))
    async with cache.change([uuid4()]):
        pass
    await cache.close()


async def wait_for(woken: asyncio.Event) -> None:
    """Wait until the listener has woken somebody."""
    await asyncio.wait_for(woken.wait(), LIMIT_S)
    woken.clear()
