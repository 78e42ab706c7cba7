"""The ACL of the functions' user in Redis."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from functions.shared.redis.change_listener import ChangeListener
from functions.shared.redis.page_cache import PageCache, keys_of
from functions.shared.redis.settings import RedisSettings
from local.stack.stack import Stack

OTHER = "other:key"
OURS = keys_of(UUID(int=7))[0]
DENIED = (
    f"GET {OTHER}",
    f"SET {OTHER} 1",
    f"UNLINK {OTHER}",
    f"HSET {OTHER} a 1",
    f"EXISTS {OURS} {OTHER}",
    "GET goalstream",
    "KEYS *",
    "SCAN 0",
    "FLUSHALL",
    "FLUSHDB",
    "CONFIG GET *",
    "CONFIG SET maxmemory 1",
    "ACL LIST",
    "ACL SETUSER goalstream +@all",
    "CLIENT LIST",
    "CLIENT KILL TYPE normal",
    "INFO",
    "MONITOR",
    "SHUTDOWN",
    "REPLICAOF NO ONE",
    "FUNCTION LIST",
    "SCRIPT FLUSH",
    "PUBLISH goalstream: 1",
    "SUBSCRIBE goalstream:",
    "PSUBSCRIBE *",
    f"DUMP {OURS}",
    f"RENAME {OURS} {OTHER}",
)


@pytest.fixture
def url(stack: Stack) -> str:
    """The REDIS_URL of the functions."""
    return stack.addresses.function_settings("list_highlights")["REDIS_URL"]


@pytest.fixture
def admin(stack: Stack) -> Iterator[Any]:
    """The default user, with an empty ACL log."""
    with closing(Redis.from_url(stack.redis_url)) as redis:
        redis.acl_log_reset()
        redis.set(OTHER, "theirs")
        yield redis
        redis.delete(OTHER)
        redis.acl_log_reset()


def test_the_cache_and_the_listener_need_no_other_commands(url: str, admin: Any) -> None:
    """Redis denies it nothing, neither when it connects nor afterwards."""
    match_id, page = UUID(int=7), ":50"

    async def work() -> None:
        settings = RedisSettings.model_validate({"REDIS_URL": url, "REDIS_TIMEOUT_S": "5"})
        cache = PageCache(settings)
        _, lease = await cache.lease(match_id, page)
        assert lease
        await cache.fill(match_id, page, b"content", lease)
        assert await cache.read(match_id, page) == b"content"
        woken = asyncio.Event()
        listening = asyncio.create_task(ChangeListener(settings).listen(woken.set))
        await asyncio.wait_for(woken.wait(), 5)  # it listens
        woken.clear()
        async with cache.change({match_id}):
            assert await cache.read(match_id, page) is None
        await asyncio.wait_for(woken.wait(), 5)
        listening.cancel()
        await asyncio.wait([listening])
        await cache.close()

    asyncio.run(work())
    assert admin.acl_log() == []


@pytest.mark.parametrize("command", DENIED)
def test_everything_else_is_denied(url: str, admin: Any, command: str) -> None:
    """Other keys, administration, and commands that show other clients."""
    functions: Any = Redis.from_url(url)
    with closing(functions), pytest.raises(NoPermissionError):
        functions.execute_command(*command.split())
    assert admin.get(OTHER) == b"theirs"


@pytest.mark.parametrize(
    "command", ["'GET', KEYS[1]", "'GET', ARGV[1]", "'FLUSHALL'", "'KEYS', '*'"]
)
def test_a_script_has_the_same_permissions(url: str, admin: Any, command: str) -> None:
    """Whether it declares the keys that it uses or not."""
    functions: Any = Redis.from_url(url)
    with closing(functions), pytest.raises(ResponseError, match=r"ACL|permission"):
        functions.eval(f"return redis.call({command})", int("KEYS[1]" in command), OTHER)
    assert admin.get(OTHER) == b"theirs"


def test_a_wrong_password_is_refused(url: str) -> None:
    """Redis answers WRONGPASS."""
    wrong = url.replace(":goalstream@", ":wrong@")
    assert wrong != url
    with closing(Redis.from_url(wrong)) as redis, pytest.raises(AuthenticationError):
        redis.ping()
