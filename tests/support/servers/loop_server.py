"""A server for a test, with its own event loop and thread."""

import asyncio
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from local.stack.ports import HOST

# Of the loop: what was accepted last is served in a later one, and there its transport is closed.
QUIET_ROUNDS = 5


class LoopServer(ABC):
    """Listens on a free port of 127.0.0.1 during `with`."""

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._serving: set[asyncio.Task[None] | None] = set()  # nobody else holds on to them

    @abstractmethod
    async def serve(
        self, streams: list[asyncio.StreamWriter], reader: asyncio.StreamReader
    ) -> None:
        """Serve a connection, the first of `streams`; appended streams are closed with it."""

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, HOST, 0)

    async def _stop(self) -> None:
        self._server.close()
        quiet = 0
        while quiet < QUIET_ROUNDS:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            quiet = 0 if others else quiet + 1
            await asyncio.sleep(0.001)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        streams = [writer]
        self._serving.add(task := asyncio.current_task())
        try:
            await self.serve(streams, reader)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one of the two has gone
        finally:
            for each in streams:
                each.transport.abort()
            self._serving.discard(task)
