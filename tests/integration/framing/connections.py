"""Raw TCP connections: bytes are sent and received unchanged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

LIMIT_S = 15.0
DRIP_S = 0.1


async def exchange(port: int, data: bytes, *, half_close: bool = False) -> bytes:
    """Send, and meanwhile read until the end, as servers may answer before they have read all.

    `half_close` tells the server that nothing more will be sent.

    Raises:
        TimeoutError: the server keeps the connection open.
    """
    received = bytearray()
    async with asyncio.timeout(LIMIT_S), sending(port, data, half_close=half_close) as reader:
        with suppress(ConnectionError):  # a reset ends it as well
            while part := await reader.read(65536):
                received += part
    return bytes(received)


@asynccontextmanager
async def sending(
    port: int, data: bytes, *, half_close: bool = False
) -> AsyncIterator[asyncio.StreamReader]:
    """Send in the background during the block; the connection is always closed afterwards."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    if half_close:
        writer.write_eof()
    try:
        yield reader
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def drip(port: int, data: bytes) -> bytes:
    """Send, and then go on a byte at a time until the server closes the connection.

    Raises:
        TimeoutError: it does not stop.
    """
    received = bytearray()
    async with asyncio.timeout(LIMIT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        dripping = asyncio.create_task(_drip(writer, data))
        with suppress(ConnectionError):
            while part := await reader.read(65536):
                received += part
        dripping.cancel()
        writer.transport.abort()
    return bytes(received)


async def _drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    with suppress(ConnectionError):
        writer.write(data)
        while True:
            await writer.drain()
            await asyncio.sleep(DRIP_S)
            writer.write(b" ")
