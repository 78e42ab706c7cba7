"""The cache of each match's first page, in Redis: best effort, and never wrong.

A match has three keys. `pages` is a hash of its pages. `lease` is a random token that a reader
takes before it reads the database, and with which alone its page may be kept. `changes` is the
set of changes under way. A change announces itself before it commits: that drops the pages and
the lease, so that nobody is shown what is about to be past, and nothing read before it is kept.
When it is done it drops them again.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError

from functions.shared.breaker import Breaker
from functions.shared.redis_pool import RestedPool
from functions.shared.settings import RedisSettings, renewed

log = logging.getLogger(__name__)

LEASE_S = 10  # longer than any read of the database may take
CHANGE_S = 30  # longer than any change may take; bounds what a crash leaves behind
TLS_CONNECT_S = 1.0  # a handshake takes longer than an answer may
UNKNOWN = ""  # no change's mark
AT_ONCE = 1000  # matches that are settled later
RETRY_S = 0.5  # shorter than a breaker stays open after Redis is back
REFUSED = (AuthenticationError, AuthorizationError, NoPermissionError)

# Keeps a page if the reader's lease still stands and no change is under way.
FILL = """
if redis.call('GET', KEYS[2]) == ARGV[1] and redis.call('EXISTS', KEYS[3]) == 0 then
    redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
    redis.call('EXPIRE', KEYS[1], ARGV[4], 'NX')
end
"""

# Both take three keys a match, and the change: a batch of matches costs one round trip.
ANNOUNCE = """
for at = 1, #KEYS, 3 do
    redis.call('UNLINK', KEYS[at], KEYS[at + 1])
    redis.call('SADD', KEYS[at + 2], ARGV[1])
    redis.call('EXPIRE', KEYS[at + 2], ARGV[2])
end
"""
SETTLE = """
for at = 1, #KEYS, 3 do
    redis.call('UNLINK', KEYS[at], KEYS[at + 1])
    redis.call('SREM', KEYS[at + 2], ARGV[1])
end
return 1
"""


def keys_of(match_id: UUID) -> tuple[str, str, str]:
    """A match's `pages`, `lease` and `changes`."""
    match = f"goalstream:{match_id}"
    return f"{match}:pages", f"{match}:lease", f"{match}:changes"


class Cache:
    """Pages by match; whatever Redis does, a call returns within its time-out."""

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._ttl_s = settings.cache_ttl_s
        self._is_refused = False
        self._redis: Redis | None = _connect(settings) if settings.redis_url else None
        self._breaker = Breaker("redis", self._ping)
        self._unsettled: set[UUID] = set()  # matches whose pages are still to be dropped
        self._settling: asyncio.Task[None] | None = None

    async def read(self, match_id: UUID, page: str) -> bytes | None:
        """A page as it was kept, or None."""
        if self._redis is None or self._breaker.is_open:
            return None
        pages, _, _ = keys_of(match_id)
        kept: bytes | None = await self._try(self._redis.hget(pages, page))
        return kept

    async def lease(self, match_id: UUID) -> bytes | None:
        """What `fill` needs to keep a page that is read from the database after this call."""
        if self._redis is None or self._breaker.is_open:
            return None
        _, lease, _ = keys_of(match_id)
        token = os.urandom(8).hex()
        held = await self._try(
            self._redis.set(lease, token, nx=True, ex=LEASE_S, get=True), otherwise=b""
        )
        return token.encode() if held is None else held or None

    async def fill(self, match_id: UUID, page: str, content: bytes, lease: bytes) -> None:
        """Keep a page for `CACHE_TTL_S` seconds at most, if nothing changed since its lease."""
        if self._redis is None or self._breaker.is_open:
            return
        await self._try(
            self._redis.eval(FILL, 3, *keys_of(match_id), lease, page, content, self._ttl_s)
        )

    @asynccontextmanager
    async def change(self, match_ids: Collection[UUID]) -> AsyncIterator[None]:
        """Around a change of these matches' highlights: nobody is shown what it makes past.

        One that raises may still be made, by a database that has only not answered in time: then
        nothing is kept until the change's mark expires.
        """
        if self._redis is None or not match_ids:
            yield
            return
        change = os.urandom(8).hex()
        keys = _keys(match_ids)
        await self._try(self._redis.eval(ANNOUNCE, len(keys), *keys, change, CHANGE_S))
        try:
            yield
        except BaseException:
            change = UNKNOWN
            raise
        finally:
            if not await self._settle(match_ids, change):
                self._unsettled.update(match_ids)
                self._settling = self._settling or asyncio.create_task(self._settle_later())

    async def close(self) -> None:
        """Close every connection."""
        if self._redis is not None:
            await self._redis.aclose()

    async def _settle(self, match_ids: Iterable[UUID], change: str) -> bool:
        if self._redis is None:
            return True
        keys = _keys(match_ids)
        call = self._redis.eval(SETTLE, len(keys), *keys, change)
        return bool(await self._try(call, otherwise=False))

    async def _settle_later(self) -> None:
        """Drop what Redis could not be told to drop, as soon as it can; the marks expire."""
        while self._unsettled:
            await asyncio.sleep(RETRY_S)
            some = set(islice(self._unsettled, AT_ONCE))
            self._unsettled -= some
            if not await self._settle(some, UNKNOWN):
                self._unsettled |= some
        self._settling = None

    async def _ping(self) -> None:
        if self._is_refused:
            await self._renew()
        if self._redis is not None:
            await self._heard(self._redis.ping())

    async def _renew(self) -> None:
        """Connect anew with the URL and the password as they are now, if one has changed.

        It is a probe that does this, not a call: a call would have to wait for it.
        """
        self._is_refused = False
        fresh = await asyncio.to_thread(renewed, self._settings, "redis_url", "redis_password")
        if fresh is not None:
            refused, self._settings, self._redis = self._redis, fresh, _connect(fresh)
            if refused is not None:
                await refused.aclose()

    async def _try(self, call: Any, otherwise: Any = None) -> Any:
        try:
            return await self._heard(call)
        except Exception as error:  # whatever it is, an answer without the cache is right
            self._breaker.trip(error)
            return otherwise

    async def _heard(self, call: Any) -> Any:
        try:
            return await call
        except REFUSED:
            self._is_refused = True
            raise


def _keys(match_ids: Iterable[UUID]) -> list[str]:
    return [key for match_id in match_ids for key in keys_of(match_id)]


def _connect(settings: RedisSettings) -> Redis:
    url, timeout_s = settings.redis_url or "", settings.redis_timeout_s
    password = settings.redis_password.get_secret_value() if settings.redis_password else None
    pool = RestedPool.from_url(
        url,
        password=password,  # unless the URL has one
        max_idle_s=settings.redis_max_idle_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=max(timeout_s, TLS_CONNECT_S if url.startswith("rediss:") else 0),
        retry=Retry(NoBackoff(), 0),  # a second try would double what a hang costs
        max_connections=16,
        timeout=timeout_s,  # for a connection, when all are in use
    )
    return Redis.from_pool(pool)
