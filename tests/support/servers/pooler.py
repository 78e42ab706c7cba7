"""A pooler in transaction mode, as PgBouncer is one that keeps no statements for its clients."""

import asyncio
import struct

from local.stack.ports import HOST
from tests.support.servers.loop_server import LoopServer

SYNC, QUERY, TERMINATE, READY = b"S", b"Q", b"X", b"Z"
IDLE = b"I"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Pooler(LoopServer):
    """Gives each transaction to the next of two connections to Postgres, for one client."""

    def __init__(self, target: int) -> None:
        super().__init__()
        self._target = target

    async def serve(
        self, streams: list[asyncio.StreamWriter], reader: asyncio.StreamReader
    ) -> None:
        """Log in twice as the client does, and pass its transactions on in turn."""
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
    """What a client sends until it wants an answer; None when it leaves."""
    asked = b""
    while True:
        kind, message = await _message(reader)
        asked += message
        if kind in (SYNC, QUERY):
            return asked
        if kind == TERMINATE:
            return None


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """What a server sends until it is ready again, and how its transaction stands."""
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
