"""What the functions may do in Redis, by the rights that they have there."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from functions.shared.cache import Cache, keys_of
from functions.shared.settings import RedisSettings
from local.embedded.stack import Stack

OTHER = "other:key"
OURS = keys_of(uuid4())[0]
REFUSED = (
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
    f"DUMP {OURS}",
    f"RENAME {OURS} {OTHER}",
)


@pytest.fixture
def url(stack: Stack) -> str:
    """The REDIS_URL of the functions."""
    return stack.addresses.own_settings("list_highlights")["REDIS_URL"]


@pytest.fixture
def admin(stack: Stack) -> Iterator[Any]:
    """Who may do all, with an empty log of what was refused."""
    with closing(Redis.from_url(stack.redis_url)) as redis:
        redis.acl_log_reset()
        redis.set(OTHER, "theirs")
        yield redis
        redis.delete(OTHER)
        redis.acl_log_reset()


def test_the_cache_does_all_its_work_with_them(url: str, admin: Any) -> None:
    """Nothing of it is refused, on its connection either."""
    match_id, page = uuid4(), ":50"

    async def work() -> None:
        cache = Cache(RedisSettings.model_validate({"REDIS_URL": url, "REDIS_TIMEOUT_S": "5"}))
        lease = await cache.lease(match_id)
        assert lease
        await cache.fill(match_id, page, b"content", lease)
        assert await cache.read(match_id, page) == b"content"
        async with cache.change({match_id}):
            assert await cache.read(match_id, page) is None
        await cache.close()

    asyncio.run(work())
    assert admin.acl_log() == []


@pytest.mark.parametrize("command", REFUSED)
def test_the_rest_is_refused(url: str, admin: Any, command: str) -> None:
    """Other keys, what is of the server, and what tells of others."""
    functions: Any = Redis.from_url(url)
    with closing(functions), pytest.raises(NoPermissionError):
        functions.execute_command(*command.split())
    assert admin.get(OTHER) == b"theirs"


@pytest.mark.parametrize(
    "command", ["'GET', KEYS[1]", "'GET', ARGV[1]", "'FLUSHALL'", "'KEYS', '*'"]
)
def test_a_script_may_do_no_more(url: str, admin: Any, command: str) -> None:
    """Whether it says which keys it takes or not."""
    functions: Any = Redis.from_url(url)
    with closing(functions), pytest.raises(ResponseError, match=r"ACL|permission"):
        functions.eval(f"return redis.call({command})", int("KEYS[1]" in command), OTHER)
    assert admin.get(OTHER) == b"theirs"


def test_without_its_password_nobody_is_their_user(url: str) -> None:
    """Whoever guesses is told so."""
    wrong = url.replace(":goalstream@", ":wrong@")
    assert wrong != url
    with closing(Redis.from_url(wrong)) as redis, pytest.raises(AuthenticationError):
        redis.ping()
