"""A TCP relay between a client and a server on one machine, which can terminate TLS."""

import asyncio
import math
import ssl
from collections.abc import Awaitable, Callable

from local.stack.ports import HOST
from tests.support.servers.loop_server import LoopServer

Opening = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SSL_REQUEST = 8  # bytes that a client of Postgres sends before TLS


async def plain(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Forward all bytes unchanged."""


def tls(context: ssl.SSLContext) -> Opening:
    """Terminate TLS from the first byte on."""

    async def begin(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await writer.start_tls(context)

    return begin


def postgres_tls(context: ssl.SSLContext) -> Opening:
    """Terminate TLS after the client's SSLRequest, as Postgres does."""

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(SSL_REQUEST)
        writer.write(b"S")
        await writer.start_tls(context)

    return begin


class Relay(LoopServer):
    """Forwards connections to a port; each is cut after `allowance()` bytes of its answers."""

    def __init__(
        self,
        target: int,
        opening: Opening = plain,
        allowance: Callable[[], float] = lambda: math.inf,
    ) -> None:
        super().__init__()
        self.connections = 0
        self.cuts = 0
        self._allowance = allowance
        self._target = target
        self._opening = opening
        self._blackholed = 0

    def lead_to(self, target: int) -> None:
        """Forward new connections to another port; existing ones stay."""
        self._target = target

    def blackhole(self) -> None:
        """Blackhole the existing connections: what is sent on them is lost without an error."""
        self._blackholed = self.connections

    async def serve(
        self, streams: list[asyncio.StreamWriter], reader: asyncio.StreamReader
    ) -> None:
        """Forward both ways until one side closes."""
        self.connections += 1
        number = self.connections
        [writer] = streams
        await self._opening(reader, writer)
        answers, to_server = await asyncio.open_connection(HOST, self._target)
        streams.append(to_server)
        await asyncio.gather(
            self._pump(number, reader, to_server),
            self._pump(number, answers, writer, self._allowance()),
        )

    async def _pump(
        self,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        allowance: float = math.inf,
    ) -> None:
        while data := await reader.read(65536):
            if len(data) > allowance:
                writer.write(data[: int(allowance)])
                self.cuts += 1
                raise ConnectionAbortedError
            allowance -= len(data)
            if number > self._blackholed:
                writer.write(data)
                await writer.drain()
        if number <= self._blackholed:
            await asyncio.Event().wait()  # an end is not forwarded either
        writer.close()
