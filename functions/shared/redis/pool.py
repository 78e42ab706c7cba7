"""Connections to Redis that are opened anew when they may no longer lead to the right place."""

import time
from typing import Any

from redis.asyncio.connection import AbstractConnection, BlockingConnectionPool


class MaxIdlePool(BlockingConnectionPool):
    """A pool that does not trust a connection after `max_idle_s`, nor any after `max_age_s`.

    redis-py itself sees whether the server has closed one, but not whether something in between
    has dropped it without a word; then a freeze would cost the first call its time-out. Nor does
    it see that the address leads to another server by now, while the old one still answers. The
    time is the wall clock's: after a freeze it is put right, while others may have stood still.
    """

    def __init__(self, *, max_idle_s: float, max_age_s: float, **options: Any) -> None:
        super().__init__(**options)
        self._max_idle_s = max_idle_s
        self._max_age_s = max_age_s
        self._used_at: dict[AbstractConnection, float] = {}
        self._opened_at: dict[AbstractConnection, float] = {}

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        """Bring a connection into a state in which a command may be sent."""
        now = time.time()
        idle_s = now - self._used_at.get(connection, 0)
        age_s = now - self._opened_at.get(connection, 0)
        if idle_s > self._max_idle_s or age_s > self._max_age_s:
            await connection.disconnect(nowait=True)
        if not connection.is_connected:
            self._opened_at[connection] = now
        await super().ensure_connection(connection)

    async def release(self, connection: AbstractConnection) -> None:
        """Take a connection back."""
        self._used_at[connection] = time.time()
        await super().release(connection)

    async def drop(self) -> None:
        """Close all connections: idle ones now, one in use before its next call."""
        self._opened_at.clear()
        for connection in tuple(self._available_connections):
            await connection.disconnect(nowait=True)
