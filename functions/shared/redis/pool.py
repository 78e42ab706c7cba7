"""A pool that replaces connections to Redis which may have become useless."""

import time
from typing import Any

from redis.asyncio.connection import AbstractConnection, BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from functions.shared.redis.settings import RedisSettings

MAX_CONNECTIONS = 16
TLS_CONNECT_TIMEOUT_S = 1.0  # a handshake takes longer than an answer may


class MaxIdlePool(BlockingConnectionPool):
    """Reopens a connection that was idle for `max_idle_s`, or is older than `max_age_s`.

    redis-py itself notices that the server has closed one, but not that something in between has
    dropped it silently: after a freeze the first call would time out. Nor does it notice that the
    address leads to another server by now, while the old one still answers. The time is the wall
    clock's, which is right again after a freeze; other clocks may have stopped.
    """

    def __init__(self, *, max_idle_s: float, max_age_s: float, **options: Any) -> None:
        super().__init__(**options)
        self._max_idle_s = max_idle_s
        self._max_age_s = max_age_s
        self._used_at: dict[AbstractConnection, float] = {}
        self._opened_at: dict[AbstractConnection, float] = {}

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        """Open a connection, if need be, so that a command can be sent."""
        now = time.time()
        idle_s = now - self._used_at.get(connection, 0)
        age_s = now - self._opened_at.get(connection, 0)
        if idle_s > self._max_idle_s or age_s > self._max_age_s:
            await connection.disconnect(nowait=True)
        if not connection.is_connected:
            self._opened_at[connection] = now
        await super().ensure_connection(connection)

    async def release(self, connection: AbstractConnection) -> None:
        """Return a connection to the pool."""
        self._used_at[connection] = time.time()
        await super().release(connection)

    async def drop(self) -> None:
        """Close all connections: idle ones now, one in use before its next call."""
        self._opened_at.clear()
        for connection in tuple(self._available_connections):
            await connection.disconnect(nowait=True)


def open_pool(settings: RedisSettings) -> MaxIdlePool:
    """Return a pool for the settings' URL, which connects when it is first used."""
    url, timeout_s = settings.redis_url or "", settings.redis_timeout_s
    password = settings.redis_password.get_secret_value() if settings.redis_password else None
    connect_timeout_s = max(timeout_s, TLS_CONNECT_TIMEOUT_S if url.startswith("rediss:") else 0)
    return MaxIdlePool.from_url(
        url,
        password=password,  # unless the URL has one
        max_idle_s=settings.redis_max_idle_s,
        max_age_s=settings.redis_max_age_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=connect_timeout_s,
        retry=Retry(NoBackoff(), 0),  # a second try would double what a hang costs
        max_connections=MAX_CONNECTIONS,
        timeout=timeout_s,  # for a connection, when all are in use
    )
