"""A stream of events through the gateway, whose other end each test holds itself."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

import pytest

from local.stack.ports import HOST
from tests.support.servers.gateway import Gateway, running_gateway

SOON_S = 1.0
HEADER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
EVENT, LATER = b"event: highlight\ndata: {}\n\n", b": still there\n\n"
END = b"0\r\n\r\n"


def chunk(content: bytes) -> bytes:
    """Return a chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """Return what arrives until this."""
    read = b""
    while end not in read:
        received = connection.recv(4096)
        assert received, f"the connection ended after {read!r}"
        read += received
    return read


@dataclass
class Stream:
    """A client's connection to the gateway, and the gateway's to the function."""

    client: socket.socket
    function: socket.socket
    header: bytes

    def send(self, event: bytes) -> None:
        """Let the function send an event; return when the client has it."""
        self.function.sendall(chunk(event))
        read_until(self.client, event)


@contextmanager
def streaming(gateway: Gateway, *headers: str) -> Iterator[Stream]:
    """Ask for a stream, which the function begins with a comment."""
    function = gateway.functions["stream_highlights"]
    lines = ("GET /highlights/stream?team=x HTTP/1.1", "Host: x", *headers)
    with socket.create_server((HOST, function.port)) as server, connect(gateway) as client:
        server.settimeout(SOON_S)
        client.sendall("\r\n".join((*lines, "", "")).encode())
        connection = server.accept()[0]
        with connection:
            connection.settimeout(SOON_S)
            assert b"GET /highlights/stream?team=x " in read_until(connection, b"\r\n\r\n")
            connection.sendall(HEADER + chunk(b":\n\n"))
            yield Stream(client, connection, read_until(client, b":\n\n"))


def connect(gateway: Gateway) -> socket.socket:
    """Connect to the port of highlights."""
    port = int(gateway.highlights.rpartition(":")[2])
    return socket.create_connection((HOST, port), timeout=SOON_S)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The gateway that all tests of this file share; a body has 2.1 s to arrive."""
    settings = {"BODY_TIMEOUT_S": "0.1"}
    with running_gateway(tmp_path_factory.mktemp("gateway"), settings=settings) as running:
        yield running


@pytest.mark.parametrize("accepted", ["identity", "gzip, deflate, br, zstd"])
def test_each_event_is_sent_on_as_it_comes(gateway: Gateway, accepted: str) -> None:
    """Not compressed: the events of a client would wait for one another."""
    with streaming(gateway, f"Accept-Encoding: {accepted}") as stream:
        assert b"content-encoding" not in stream.header.lower()
        stream.send(EVENT)
        stream.send(LATER)


def test_a_stream_may_last_longer_than_any_request(gateway: Gateway) -> None:
    """The time-outs of a header and of a body do not end it."""
    with streaming(gateway) as stream:
        begun = monotonic()
        while monotonic() < begun + 2.5:
            stream.send(EVENT)
            stream.function.settimeout(0.1)
            with pytest.raises(TimeoutError):  # it would read an end
                stream.function.recv(1)


def test_a_function_knows_at_once_that_its_client_has_gone(gateway: Gateway) -> None:
    """Not only when it sends the next event."""
    with streaming(gateway) as stream:
        stream.client.close()
        assert stream.function.recv(1) == b""


def test_after_the_end_of_a_stream_its_connection_is_used_again(gateway: Gateway) -> None:
    """As after any other response."""
    with streaming(gateway) as stream:
        stream.function.sendall(END)
        read_until(stream.client, END)
        stream.client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_until(stream.client, b"\r\n").startswith(b"HTTP/1.1 200 ")


def test_a_stream_that_breaks_off_has_no_end(gateway: Gateway) -> None:
    """So that a client connects again, and not only where it was told to."""
    with streaming(gateway) as stream:
        stream.function.sendall(chunk(EVENT))
        stream.function.close()
        read = b""
        while received := stream.client.recv(4096):
            read += received
        assert read == chunk(EVENT)


@pytest.mark.parametrize(
    "body", ["Content-Length: 2\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n"]
)
def test_a_request_with_a_body_is_refused(gateway: Gateway, body: str) -> None:
    """No function need run for that; the connection is closed, as the body is not read."""
    with connect(gateway) as client:
        client.sendall(f"GET /highlights/stream HTTP/1.1\r\nHost: x\r\n{body}".encode())
        header, _, content = read_until(client, b"}\n").partition(b"\r\n\r\n")
    assert header.startswith(b"HTTP/1.1 413 ")
    assert re.search(rb"\r\nConnection: close(\r\n|$)", header)
    assert json.loads(content)["title"] == "Content Too Large"
