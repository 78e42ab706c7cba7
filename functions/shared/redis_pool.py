"""Connections to Redis that are opened anew when nobody has used them for long."""

import time
from typing import Any

from redis.asyncio.connection import AbstractConnection, BlockingConnectionPool


class RestedPool(BlockingConnectionPool):
    """A pool that does not trust a connection after `max_idle_s`.

    redis-py itself sees whether the server has closed one, but not whether something in between
    has dropped it without a word; then a freeze would cost the first call its time-out. The time
    is the wall clock's: after a freeze it is put right, while others may have stood still.
    """

    def __init__(self, *, max_idle_s: float, **options: Any) -> None:
        super().__init__(**options)
        self._max_idle_s = max_idle_s
        self._used_at: dict[AbstractConnection, float] = {}

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        """Bring a connection into a state in which a command may be sent."""
        if time.time() - self._used_at.get(connection, 0) > self._max_idle_s:
            await connection.disconnect(nowait=True)
        await super().ensure_connection(connection)

    async def release(self, connection: AbstractConnection) -> None:
        """Take a connection back."""
        self._used_at[connection] = time.time()
        await super().release(connection)
