"""Data that is written in one iteration of the event loop is sent together and in order."""

import asyncio
from typing import Any, cast

import pytest

from functions.shared.http.coalescing_transport import COPY_LIMIT, CoalescingTransport


class Socket:
    """A transport that records its calls."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def write(self, data: bytes) -> None:
        """Record a write."""
        self.calls.append(data)

    def write_eof(self) -> None:
        """Record the end of writes."""
        self.calls.append("eof")

    def close(self) -> None:
        """Record the close."""
        self.calls.append("closed")

    def is_closing(self) -> bool:
        """Return whether it is closed."""
        return "closed" in self.calls

    def get_extra_info(self, name: str) -> str:
        """Return something that depends on the name."""
        return name


@pytest.fixture(name="socket")
def _socket() -> Socket:
    """The connection's own transport."""
    return Socket()


async def write(socket: Socket, *parts: bytes) -> CoalescingTransport:
    """Write the parts in one iteration of the loop."""
    loop = asyncio.get_running_loop()
    transport = CoalescingTransport(cast(asyncio.Transport, socket), loop)
    for part in parts:
        transport.write(part)
    return transport


def test_header_and_body_are_sent_together(socket: Socket) -> None:
    """Before the loop waits for events; what is written in a later iteration is sent separately."""

    async def work() -> None:
        transport = await write(socket, b"head", b"body")
        await asyncio.sleep(0)
        assert socket.calls == [b"headbody"]
        transport.write(b"HTTP/1.1 100 Continue")
        await asyncio.sleep(0)
        assert socket.calls == [b"headbody", b"HTTP/1.1 100 Continue"]

    asyncio.run(work())


def test_a_large_body_is_not_copied(socket: Socket) -> None:
    """It is sent as it is, after its header."""
    body = b"b" * COPY_LIMIT

    async def work() -> None:
        await write(socket, b"head", body)
        await asyncio.sleep(0)

    asyncio.run(work())
    assert socket.calls == [b"head", body]
    assert socket.calls[1] is body


@pytest.mark.parametrize(("end", "call"), [("close", "closed"), ("write_eof", "eof")])
def test_written_data_is_sent_before_the_end(socket: Socket, end: str, call: str) -> None:
    """And nothing after it."""

    async def work() -> None:
        transport = await write(socket, b"head", b"body")
        getattr(transport, end)()
        await asyncio.sleep(0)

    asyncio.run(work())
    assert socket.calls == [b"headbody", call]


def test_other_attributes_are_those_of_the_wrapped_transport(socket: Socket) -> None:
    """Such as the peer's address, and whether it is closing."""

    async def work() -> tuple[Any, bool, bool]:
        transport = await write(socket)
        is_open = not transport.is_closing()
        transport.close()
        return transport.get_extra_info("peername"), is_open, transport.is_closing()

    assert asyncio.run(work()) == ("peername", True, True)
    assert socket.calls == ["closed"]
