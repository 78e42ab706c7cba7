"""The persistent connection to a function."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from local.kafka_trigger.delivering.transport import (
    Aborted,
    HttpResponse,
    HttpTransport,
    NoResponse,
    Unreachable,
)
from local.kafka_trigger.envelopes.payload import Payload
from tests.support.servers.function_server import FunctionServer, Reply

PAYLOAD = Payload("application/cloudevents-batch+json", b"[]")


def test_payloads_share_one_connection() -> None:
    """Body, content type and path arrive; the response is complete."""
    with FunctionServer(lambda _: Reply(503, b"busy", {"Retry-After": "7"})) as function:
        transport = HttpTransport(f"{function.url}a/b?c=d", timeout_s=10)
        answers = [transport.post(PAYLOAD) for _ in range(3)]
        transport.close()
        assert answers == [HttpResponse(503, b"busy", "7")] * 3
        assert function.connections == 1
        request = function.requests[0]
    assert (request.path, request.body) == ("/a/b?c=d", b"[]")
    assert request.headers["Content-Type"] == "application/cloudevents-batch+json"


def test_a_refused_connection_is_unreachable() -> None:
    """The payload has certainly not arrived."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(Unreachable, match="refused"):
        HttpTransport(f"http://127.0.0.1:{port}", timeout_s=10).post(PAYLOAD)
    with pytest.raises(Unreachable):
        HttpTransport("http://nobody.invalid", timeout_s=10).post(PAYLOAD)


def test_an_idle_connection_that_the_server_closed_is_opened_again() -> None:
    """This is no failure of the function, and is not reported."""
    with FunctionServer() as function:
        transport = HttpTransport(function.url, timeout_s=10)
        transport.post(PAYLOAD)
        replies = iter([Reply(None), Reply(200, b"again")])
        function.reply = lambda _: next(replies)
        assert transport.post(PAYLOAD).body == b"again"
        transport.close()


def test_a_response_with_connection_close_is_followed_by_a_new_connection() -> None:
    """Each payload is sent only once."""
    with FunctionServer(lambda _: Reply(200, b"", {"Connection": "close"})) as function:
        transport = HttpTransport(function.url, timeout_s=10)
        for _ in range(3):
            transport.post(PAYLOAD)
        assert len(function.requests) == function.connections == 3


def test_a_connection_lost_during_the_response_is_no_response() -> None:
    """A function that drops its connections is not called for ever."""
    with FunctionServer(lambda _: Reply(None)) as function:
        transport = HttpTransport(function.url, timeout_s=10)
        for _ in range(2):
            with pytest.raises(NoResponse):
                transport.post(PAYLOAD)
        assert len(function.requests) == 2


def test_a_payload_may_have_headers_and_no_content_type() -> None:
    """As a binary CloudEvent; none is invented."""
    with FunctionServer() as function:
        transport = HttpTransport(function.url, timeout_s=10)
        transport.post(Payload(None, b"", {"ce-id": "1"}))
        transport.close()
        [request] = function.requests
    assert request.headers["ce-id"] == "1"
    assert request.headers["Content-Length"] == "0"
    assert "Content-Type" not in request.headers


def test_an_incomplete_response_is_no_response() -> None:
    """Its end might reverse its meaning."""
    with FunctionServer(lambda _: Reply(200, b"{}", {"Content-Length": "9"})) as function:
        function.reply = lambda _: Reply(200, b"{}", {"Content-Length": "9", "Connection": "close"})
        with pytest.raises(NoResponse):
            HttpTransport(function.url, timeout_s=10).post(PAYLOAD)


def test_data_that_is_not_http_is_no_response() -> None:
    """The trigger survives any other protocol."""
    with (
        server_that(lambda connection: connection.sendall(b"hello\r\n\r\n")) as url,
        pytest.raises(NoResponse),
    ):
        HttpTransport(url, timeout_s=10).post(PAYLOAD)


def test_a_late_response_is_no_response() -> None:
    """The next payload uses a new connection."""
    hold = threading.Event()

    def slow(_: object) -> Reply:
        hold.wait(10)
        return Reply()

    with FunctionServer(slow) as function:
        transport = HttpTransport(function.url, timeout_s=0.1)
        with pytest.raises(NoResponse, match=r"no answer within 0\.1 s"):
            transport.post(PAYLOAD)
        hold.set()
        assert transport.post(PAYLOAD).status == 200
        assert function.connections == 2
        transport.close()


def test_a_response_that_trickles_may_be_late() -> None:
    """The time-out is for the whole response, not for each of its bytes."""
    stopping = threading.Event()
    with server_that(trickles(stopping)) as url:
        began = time.monotonic()
        with pytest.raises(NoResponse, match=r"no answer within 0\.3 s"):
            HttpTransport(url, timeout_s=0.3).post(PAYLOAD)
        assert time.monotonic() - began < 5
        stopping.set()


def trickles(stopping: threading.Event) -> Callable[[socket.socket], None]:
    """Serve a response of which a byte is sent every 50 ms."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not stopping.wait(0.05):
            connection.sendall(b"x")

    return answer


def test_unexpected_data_on_an_idle_connection_is_no_response() -> None:
    """Proxies send a 408 before they close it: the next request opens another."""
    answers = iter([b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % n for n in (1, 2)])
    sent = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(next(answers))
        connection.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        sent.set()

    with server_that(answer, connections=2) as url:
        transport = HttpTransport(url, timeout_s=10)
        assert transport.post(PAYLOAD).body == b"1"
        assert sent.wait(10)
        assert transport.post(PAYLOAD).body == b"2"
        transport.close()


@contextmanager
def server_that(answer: Callable[[socket.socket], None], connections: int = 1) -> Iterator[str]:
    """Run a server that calls `answer` for each connection and keeps it open; yield its URL."""

    def serve() -> None:
        with ExitStack() as open_connections:
            for _ in range(connections):
                connection = open_connections.enter_context(server.accept()[0])
                with suppress(ConnectionError):  # who asked may have had enough
                    answer(connection)
            ended.wait(10)

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        ended.set()
        thread.join()


@pytest.mark.parametrize("kept_alive", [False, True])
def test_a_request_in_flight_can_be_aborted(kept_alive: bool) -> None:
    """A revoked partition waits for no response, and sends no second request."""
    hold, asked = threading.Event(), threading.Event()

    def slow(_: object) -> Reply:
        asked.set()
        hold.wait(10)
        return Reply()

    with FunctionServer() as function:
        transport = HttpTransport(function.url, timeout_s=10)
        if kept_alive:
            transport.post(PAYLOAD)
        function.reply = slow

        def abort_when_asked() -> None:
            asked.wait(10)
            transport.abort()

        thread = threading.Thread(target=abort_when_asked)
        thread.start()
        with pytest.raises(Aborted):
            transport.post(PAYLOAD)
        thread.join()
        hold.set()
        assert len(function.requests) == 1 + kept_alive


def test_a_request_that_is_aborted_while_connecting_is_not_sent() -> None:
    """The partition has another owner by then, who sends the same."""
    with FunctionServer() as function:
        transport = HttpTransport(function.url, timeout_s=10)
        transport.abort()
        with pytest.raises(Aborted):
            transport.post(PAYLOAD)
        assert not function.requests
