"""A pooler in transaction mode, like PgBouncer without support for prepared statements."""

import asyncio
import struct

from local.stack.ports import HOST
from tests.support.servers.loop_server import LoopServer

SYNC, QUERY, TERMINATE, READY = b"S", b"Q", b"X", b"Z"
IDLE = b"I"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Pooler(LoopServer):
    """Alternates the transactions of a client between two connections to Postgres."""

    def __init__(self, target: int) -> None:
        super().__init__()
        self._target = target

    async def serve(
        self, streams: list[asyncio.StreamWriter], reader: asyncio.StreamReader
    ) -> None:
        """Log in twice as the client does, and forward its transactions in turn."""
        startup = await _untagged(reader)
        servers: list[Streams] = []
        for _ in range(2):
            servers.append(await asyncio.open_connection(HOST, self._target))
            streams.append(servers[-1][1])
            servers[-1][1].write(startup)
            welcome, _ = await _answer(servers[-1][0])
        streams[0].write(welcome)
        await _pass_on(reader, streams[0], servers)


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, servers: list[Streams]
) -> None:
    turn = 0
    while (asked := await _question(reader)) is not None:
        answers, to_server = servers[turn]
        to_server.write(asked)
        answer, status = await _answer(answers)
        writer.write(answer)
        if status == IDLE:
            turn = 1 - turn


async def _question(reader: asyncio.StreamReader) -> bytes | None:
    """Read a client's messages until it expects an answer; None when it closes."""
    asked = b""
    while True:
        kind, message = await _message(reader)
        asked += message
        if kind in (SYNC, QUERY):
            return asked
        if kind == TERMINATE:
            return None


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read a server's messages until ReadyForQuery; return them and the transaction status."""
    answer, kind, message = b"", b"", b""
    while kind != READY:
        kind, message = await _message(reader)
        answer += message
    return answer, message[-1:]


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind = await reader.readexactly(1)
    return kind, kind + await _untagged(reader)


async def _untagged(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(4)
    return length + await reader.readexactly(struct.unpack("!i", length)[0] - 4)
