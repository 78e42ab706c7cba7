"""The cache of each match's first page, in Redis: best effort, and never wrong.

A match has three keys. `pages` is a hash of its pages. `lease` is a random token that a reader
takes before it reads the database, and with which alone its page may be kept, until the lease
expires. `changes` is the set of changes under way. A change announces itself before it commits:
that drops the pages and the lease, so that nobody is shown what is about to be past, and nothing
read before it is kept. When it is done it drops them again.

A change that Redis does not take waits, once an outage, until every page and lease from before
has expired. A node that refuses writes refuses reads of pages too, so it keeps nobody in the past.
"""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError

from functions.shared.errors import Unavailable
from functions.shared.redis.circuit_breaker import CircuitBreaker
from functions.shared.redis.pool import MaxIdlePool
from functions.shared.redis.scripts import ANNOUNCE, FILL, PROBE, READ, SETTLE
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.load import reload_if_changed

log = logging.getLogger(__name__)

CHANGE_S = 30  # longer than any change may take; bounds what a crash leaves behind
TLS_CONNECT_S = 1.0  # a handshake takes longer than an answer may
UNKNOWN = ""  # no change's mark
RETRY_S = 0.05  # between two attempts to announce a change
EXPIRY_MARGIN_S = 0.1  # what Redis' clock may lag behind within a command
REFUSED = (AuthenticationError, AuthorizationError, NoPermissionError)


def keys_of(match_id: UUID) -> tuple[str, str, str]:
    """A match's `pages`, `lease` and `changes`."""
    match = f"goalstream:{match_id}"
    return f"{match}:pages", f"{match}:lease", f"{match}:changes"


class PageCache:
    """Pages by match; whatever Redis does, a reader's call returns within its time-out."""

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._is_refused = False
        self._pool: MaxIdlePool | None = _pool(settings) if settings.redis_url else None
        self._redis: Redis | None = Redis.from_pool(self._pool) if self._pool else None
        self._breaker = CircuitBreaker("redis", self._probe, steady_s=settings.cache_ttl_s)

    async def read(self, match_id: UUID, page: str) -> bytes | None:
        """A page as it was kept, or None."""
        if self._redis is None or self._breaker.is_open:
            return None
        pages, _, _ = keys_of(match_id)
        kept: bytes | None = await self._try(self._redis.eval(READ, 1, pages, page))
        return kept

    async def lease(self, match_id: UUID) -> bytes | None:
        """What `fill` needs to keep a page that is read from the database after this call."""
        if self._redis is None or self._breaker.is_open:
            return None
        _, lease, _ = keys_of(match_id)
        token, ttl_s = os.urandom(8).hex(), self._settings.cache_ttl_s
        held = await self._try(
            self._redis.set(lease, token, nx=True, ex=ttl_s, get=True), otherwise=b""
        )
        return token.encode() if held is None else held or None

    async def fill(self, match_id: UUID, page: str, content: bytes, lease: bytes) -> None:
        """Keep a page until `CACHE_TTL_S` after its lease, if nothing changed since then."""
        if self._redis is None or self._breaker.is_open:
            return
        await self._try(self._redis.eval(FILL, 3, *keys_of(match_id), lease, page, content))

    @asynccontextmanager
    async def change(self, match_ids: Collection[UUID]) -> AsyncIterator[None]:
        """Around a change of these matches' highlights: nobody is shown what it makes past.

        It may wait for `CACHE_TTL_S` when Redis is away. One that raises may still be made, by a
        database that has only not answered in time: then nothing is kept until the change's mark
        expires.
        """
        if self._redis is None or not match_ids:
            yield
            return
        change = os.urandom(8).hex()
        keys = [key for match_id in match_ids for key in keys_of(match_id)]
        await self._announce(keys, change)
        try:
            yield
        except BaseException:
            change = UNKNOWN
            raise
        finally:
            await self._tell(SETTLE, keys, change)

    async def ready(self) -> None:
        """Return if Redis answers.

        Raises:
            Unavailable: it does not, or there is none.
        """
        if self._redis is None:
            raise Unavailable("No REDIS_URL is set.")
        if self._breaker.is_open:
            raise Unavailable("Redis is away, or refuses writes.")
        try:
            await self._redis.ping()
        except Exception as error:
            raise Unavailable("Redis does not answer.") from error

    async def close(self) -> None:
        """Close every connection, and open no more."""
        await self._breaker.close()
        if self._redis is not None:
            await self._redis.aclose()

    async def _announce(self, keys: Sequence[str], change: str) -> None:
        """Tell Redis of a change, or wait until it holds nothing from before.

        Whatever keeps this process from writing there, a page that is still read there was kept
        `CACHE_TTL_S` ago at most.
        """
        enough_s = self._settings.cache_ttl_s + EXPIRY_MARGIN_S
        began = time.monotonic()
        while not await self._tell(ANNOUNCE, keys, change, CHANGE_S):
            if self._breaker.has_failed_for(enough_s) or time.monotonic() - began > enough_s:
                return
            await asyncio.sleep(RETRY_S)

    async def _tell(self, script: str, keys: Sequence[str], *arguments: Any) -> bool:
        if self._redis is None:
            return True
        return bool(await self._try(self._redis.eval(script, len(keys), *keys, *arguments)))

    async def _probe(self) -> None:
        if self._is_refused:
            await self._renew()
        if self._redis is not None:
            await self._heard(self._redis.eval(PROBE, 0))

    async def _renew(self) -> None:
        """Connect anew with the URL and the password as they are now, if one has changed.

        It is a probe that does this, not a call: a call would have to wait for it.
        """
        self._is_refused = False
        fresh = await asyncio.to_thread(
            reload_if_changed, self._settings, "redis_url", "redis_password"
        )
        if fresh is not None:
            refused, self._settings, self._pool = self._redis, fresh, _pool(fresh)
            self._redis = Redis.from_pool(self._pool)
            if refused is not None:
                await refused.aclose()

    async def _try(self, call: Any, otherwise: Any = None) -> Any:
        try:
            answer = await self._heard(call)
        except Exception as error:  # whatever it is, an answer without the cache is right
            self._breaker.trip(error)
            return otherwise
        self._breaker.record_success()
        return answer

    async def _heard(self, call: Any) -> Any:
        try:
            return await call
        except Exception as error:
            self._is_refused = self._is_refused or isinstance(error, REFUSED)
            if self._pool is not None:  # after a fail-over a new connection finds the new primary
                await self._pool.drop()
            raise


def _pool(settings: RedisSettings) -> MaxIdlePool:
    url, timeout_s = settings.redis_url or "", settings.redis_timeout_s
    password = settings.redis_password.get_secret_value() if settings.redis_password else None
    return MaxIdlePool.from_url(
        url,
        password=password,  # unless the URL has one
        max_idle_s=settings.redis_max_idle_s,
        max_age_s=settings.redis_max_age_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=max(timeout_s, TLS_CONNECT_S if url.startswith("rediss:") else 0),
        retry=Retry(NoBackoff(), 0),  # a second try would double what a hang costs
        max_connections=16,
        timeout=timeout_s,  # for a connection, when all are in use
    )
