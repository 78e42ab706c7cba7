"""The cache of each match's first pages, in Redis: best effort, and never stale.

A match has three keys. `pages` is a hash of its pages. `lease` is a random token that a reader
takes before it reads the database: only with it may the page be cached, until the lease expires.
`changes` is the set of changes in progress. A change announces itself before it commits, which
deletes the pages and the lease: so nobody is shown what is about to be stale, and nothing that was
read before is cached. Until it has committed, no lease is given.

A Redis that comes back empty may have forgotten a change that has still to commit. So it gives no
lease for SETTLING_S.

Of several readers one claims a page, and the others wait for a moment until it is cached.

A change that Redis does not accept waits, once an outage, until every page and lease from before
has expired. A node that rejects writes rejects reads of pages too, so nobody is shown stale ones.
"""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError

from functions.shared.errors import Unavailable
from functions.shared.redis.circuit_breaker import CircuitBreaker
from functions.shared.redis.pool import MaxIdlePool, open_pool
from functions.shared.redis.scripts import ANNOUNCE, FILL, LEASE, PROBE, READ, SETTLE
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.load import reload_if_changed

log = logging.getLogger(__name__)

CHANGE_TTL_S = 30  # longer than any change takes; removes what a crash leaves behind
NO_CHANGE = ""  # is in no set of changes
KNOWN = "goalstream:known"  # missing in a Redis that came back empty
UNSETTLED = "goalstream:unsettled"
SETTLING_S = 10  # longer than a change takes that it may have forgotten
UNAVAILABLE = (b"", b"")  # neither a page nor a lease
RETRY_EVERY_S = 0.05  # until a change is announced
CLAIM_S = 0.05  # for which others wait for the page that one reads
ASK_EVERY_S = 0.002  # whether that page is cached
EXPIRY_MARGIN_S = 0.1  # by which Redis' clock may lag behind within a command
LOGIN_ERRORS = (AuthenticationError, AuthorizationError, NoPermissionError)


def keys_of(match_id: UUID) -> tuple[str, str, str]:
    """Return the keys of a match's `pages`, `lease` and `changes`."""
    match = f"goalstream:{match_id}"
    return f"{match}:pages", f"{match}:lease", f"{match}:changes"


class PageCache:
    """Pages by match; whatever Redis does, a reader's call returns within REDIS_TIMEOUT_S."""

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._is_login_rejected = False
        self._pool: MaxIdlePool | None = open_pool(settings) if settings.redis_url else None
        self._redis: Redis | None = Redis.from_pool(self._pool) if self._pool else None
        self._breaker = CircuitBreaker("redis", self._probe, steady_s=settings.cache_ttl_s)

    async def read(self, match_id: UUID, page: str) -> bytes | None:
        """Return a page that is cached, or None."""
        if self._redis is None or self._breaker.is_open:
            return None
        pages, _, _ = keys_of(match_id)
        kept: bytes | None = await self._try(self._redis.eval(READ, 1, pages, page))
        return kept

    async def lease(self, match_id: UUID, page: str) -> tuple[bytes | None, bytes | None]:
        """Return a page, or the lease that `fill` needs for one that is read after this call.

        The page is there if another reader caches it within CLAIM_S. Neither is there if it is not
        to be cached.
        """
        token, gives_up_at = os.urandom(8).hex(), time.monotonic() + CLAIM_S
        while (answer := await self._claim(match_id, page, token)) is None:
            if time.monotonic() > gives_up_at:
                return None, None
            await asyncio.sleep(ASK_EVERY_S)
        content, lease = answer
        return content or None, lease or None

    async def fill(self, match_id: UUID, page: str, content: bytes, lease: bytes) -> None:
        """Cache a page until CACHE_TTL_S after its lease, if nothing has changed since then."""
        if self._redis is None or self._breaker.is_open:
            return
        await self._try(self._redis.eval(FILL, 2, *keys_of(match_id)[:2], lease, page, content))

    @asynccontextmanager
    async def change(self, match_ids: Collection[UUID]) -> AsyncIterator[None]:
        """Return a context for a change of these matches' highlights; it deletes their pages.

        It may wait for CACHE_TTL_S when Redis is unavailable. A change that raises may still be
        made, by a database that only did not answer in time: then nothing is cached until the
        change's entry expires.
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
            change = NO_CHANGE
            raise
        finally:
            await self._run_script(SETTLE, keys, change)

    async def ready(self) -> None:
        """Return if Redis answers.

        Raises:
            Unavailable: it does not, or no URL is set.
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

    async def _claim(self, match_id: UUID, page: str, token: str) -> Sequence[bytes] | None:
        """Return a page and a lease, or None while another reader has claimed the page."""
        if self._redis is None or self._breaker.is_open:
            return UNAVAILABLE
        pages, lease, changes = keys_of(match_id)
        keys = (pages, lease, changes, f"{lease}:{page}", KNOWN, UNSETTLED)
        arguments = (
            page, token, self._settings.cache_ttl_s, int(CLAIM_S * 1000), int(SETTLING_S * 1000),
        )  # fmt: skip
        claimed: Sequence[bytes] | None = await self._try(
            self._redis.eval(LEASE, len(keys), *keys, *arguments), otherwise=UNAVAILABLE
        )
        return claimed

    async def _announce(self, keys: Sequence[str], change: str) -> None:
        """Announce a change to Redis, or wait until everything that is cached has expired.

        Whatever keeps this process from writing, a page that others still read was cached
        CACHE_TTL_S ago at most.
        """
        expiry_s = self._settings.cache_ttl_s + EXPIRY_MARGIN_S
        started_at = time.monotonic()
        while not await self._run_script(ANNOUNCE, keys, change, CHANGE_TTL_S):
            if self._breaker.has_failed_for(expiry_s) or time.monotonic() - started_at > expiry_s:
                return
            await asyncio.sleep(RETRY_EVERY_S)

    async def _run_script(self, script: str, keys: Sequence[str], *arguments: Any) -> bool:
        if self._redis is None:
            return True
        return bool(await self._try(self._redis.eval(script, len(keys), *keys, *arguments)))

    async def _probe(self) -> None:
        if self._is_login_rejected:
            await self._reconnect()
        if self._redis is not None:
            await self._call(self._redis.eval(PROBE, 0))

    async def _reconnect(self) -> None:
        """Connect with the present URL and password, if one of them has changed.

        Only probes do this: a reader's call would have to wait for it.
        """
        self._is_login_rejected = False
        settings = await asyncio.to_thread(
            reload_if_changed, self._settings, "redis_url", "redis_password"
        )
        if settings is not None:
            old, self._settings, self._pool = self._redis, settings, open_pool(settings)
            self._redis = Redis.from_pool(self._pool)
            if old is not None:
                await old.aclose()

    async def _try(self, command: Awaitable[Any], otherwise: Any = None) -> Any:
        try:
            answer = await self._call(command)
        except Exception as error:  # whatever it is, an answer without the cache is right
            self._breaker.trip(error)
            return otherwise
        self._breaker.record_success()
        return answer

    async def _call(self, command: Awaitable[Any]) -> Any:
        try:
            return await command
        except Exception as error:
            self._is_login_rejected = self._is_login_rejected or isinstance(error, LOGIN_ERRORS)
            if self._pool is not None:  # a new connection leads to the new primary, if there is one
                await self._pool.drop()
            raise
