"""What stands between a client and a server on one machine: a middlebox that can end TLS."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from local.embedded.ports import HOST

Opening = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SSL_REQUEST = 8  # bytes that a client of Postgres sends before TLS


async def plain(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Pass all on as it is."""


def tls(context: ssl.SSLContext) -> Opening:
    """Talk TLS to the client from the first byte on."""

    async def begin(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await writer.start_tls(context)

    return begin


def postgres_tls(context: ssl.SSLContext) -> Opening:
    """Talk TLS to the client once it asks for it, as Postgres does."""

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(SSL_REQUEST)
        writer.write(b"S")
        await writer.start_tls(context)

    return begin


class Relay:
    """Passes connections on to a port, from `with` until its end."""

    def __init__(self, target: int, opening: Opening = plain) -> None:
        self.connections = 0
        self.port = 0
        self._target = target
        self._opening = opening
        self._forgotten = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def forget(self) -> None:
        """Drop the connections that there are without a word: what is sent on them gets lost."""
        self._forgotten = self.connections

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result()
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

    async def _serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._pass_on, HOST, 0)

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.01)  # the transports are closed in the loop's next rounds

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        writers = [writer]
        try:
            await self._opening(reader, writer)
            answers, to_server = await asyncio.open_connection(HOST, self._target)
            writers.append(to_server)
            await asyncio.gather(
                self._pump(number, reader, to_server), self._pump(number, answers, writer)
            )
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            for each in writers:
                each.transport.abort()

    async def _pump(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(65536):
            if number > self._forgotten:
                writer.write(data)
                await writer.drain()
        writer.close()
