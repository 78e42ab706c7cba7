"""What befalls Redis during a run: at random, from a seed."""

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random

from tests.support.servers.redis_server import RedisServer

OUTAGE_S = 0.2  # longer than a call waits for its answer


class Faults:
    """Injects a fault at every so-many-th operation."""

    def __init__(self, server: RedisServer, seed: int, every: int) -> None:
        self.counts: Counter[str] = Counter()
        self.kinds: list[Callable[[], object]] = [self.empty, self.crash, self.hang, self.refuse]
        self._server = server
        self._random = Random(seed)
        self._every = every

    def __call__(self, operation: int) -> None:
        """Inject a fault if it is time for one."""
        if operation % self._every == self._every - 1:
            fault = self._random.choice(self.kinds)
            fault()
            self.counts[fault.__name__] += 1

    def empty(self) -> None:
        """Delete all keys; connections stay open."""
        self._server.admin.flushall()

    def crash(self) -> None:
        """Let it die, and come back empty."""
        asyncio.get_running_loop().run_in_executor(None, self._server.process.restart)

    def hang(self) -> None:
        """Let it answer nobody for a while."""
        self._server.process.pause()
        asyncio.get_running_loop().call_later(OUTAGE_S, self._server.process.resume)

    def refuse(self) -> None:
        """Let it refuse writes for a while."""
        self._need_replicas(1)
        asyncio.get_running_loop().call_later(OUTAGE_S, self._need_replicas, 0)

    def _need_replicas(self, count: int) -> None:
        self._server.admin.config_set("min-replicas-to-write", count)
