"""What is written in one turn of the event loop goes out in one piece, in order, and whole."""

import asyncio
from typing import Any, cast

import pytest

from functions.shared.http.coalescing import JOINED, CoalescingTransport


class Socket:
    """A transport that notes what is asked of it."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def write(self, data: bytes) -> None:
        """A system call, as a rule."""
        self.said.append(data)

    def write_eof(self) -> None:
        """Half a close."""
        self.said.append("eof")

    def close(self) -> None:
        """Nothing more."""
        self.said.append("closed")

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return "closed" in self.said

    def get_extra_info(self, name: str) -> str:
        """What else a transport is asked."""
        return name


@pytest.fixture(name="socket")
def _socket() -> Socket:
    """The connection's own transport."""
    return Socket()


async def write(socket: Socket, *parts: bytes) -> CoalescingTransport:
    """Write the parts in one turn."""
    loop = asyncio.get_running_loop()
    transport = CoalescingTransport(cast(asyncio.Transport, socket), loop)
    for part in parts:
        transport.write(part)
    return transport


def test_head_and_body_go_out_together(socket: Socket) -> None:
    """Before the loop waits for more; and what comes in a later turn by itself."""

    async def work() -> None:
        transport = await write(socket, b"head", b"body")
        await asyncio.sleep(0)
        assert socket.said == [b"headbody"]
        transport.write(b"HTTP/1.1 100 Continue")
        await asyncio.sleep(0)
        assert socket.said == [b"headbody", b"HTTP/1.1 100 Continue"]

    asyncio.run(work())


def test_a_large_body_is_not_copied(socket: Socket) -> None:
    """It goes out as it is, after its head."""
    body = b"b" * JOINED

    async def work() -> None:
        await write(socket, b"head", body)
        await asyncio.sleep(0)

    asyncio.run(work())
    assert socket.said == [b"head", body]
    assert socket.said[1] is body


@pytest.mark.parametrize(("end", "said"), [("close", "closed"), ("write_eof", "eof")])
def test_the_end_comes_after_what_was_written(socket: Socket, end: str, said: str) -> None:
    """And nothing after the end."""

    async def work() -> None:
        transport = await write(socket, b"head", b"body")
        getattr(transport, end)()
        await asyncio.sleep(0)

    asyncio.run(work())
    assert socket.said == [b"headbody", said]


def test_all_else_is_asked_of_the_connections_own(socket: Socket) -> None:
    """Such as whom it leads to, and whether it is open."""

    async def work() -> tuple[Any, bool, bool]:
        transport = await write(socket)
        is_open = not transport.is_closing()
        transport.close()
        return transport.get_extra_info("peername"), is_open, transport.is_closing()

    assert asyncio.run(work()) == ("peername", True, True)
    assert socket.said == ["closed"]
