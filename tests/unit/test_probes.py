"""The server of the probes."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse

import pytest

from local.process.probes import PROMETHEUS, Endpoints, ProbeResult, ProbeServer

OK, NOT_OK = ProbeResult(True, {"of": "a"}), ProbeResult(False, {"of": "b"})


@contextmanager
def probes(
    health: Callable[[], ProbeResult] = lambda: OK,
    ready: Callable[[], ProbeResult] = lambda: NOT_OK,
) -> Iterator[int]:
    """A running server on a free port."""
    with ProbeServer(Endpoints(health, ready, lambda: b"a 1\n"), "127.0.0.1", 0) as running:
        yield running.port


def get(port: int, path: str, method: str = "GET") -> tuple[HTTPResponse, bytes]:
    """A response, and its body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def raw(port: int, request: str) -> str:
    """All bytes that the server sends for a request."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request.encode())
        return b"".join(iter(lambda: client.recv(4096), b"")).decode()


def get_json(port: int, path: str) -> tuple[int, object]:
    """A response's status, and its JSON."""
    answer, body = get(port, path)
    assert answer.headers["Content-Type"] == "application/json"
    assert body.endswith(b"\n")
    return answer.status, json.loads(body)


def test_the_status_of_health_and_ready_says_whether_all_is_well() -> None:
    """200 or 503, and the details as JSON."""
    with probes() as port:
        assert get_json(port, "/health") == (200, {"status": "ok", "of": "a"})
        assert get_json(port, "/ready?verbose") == (503, {"status": "not ready", "of": "b"})
        assert get_json(port, "/") == (404, {"status": "not found"})
    with probes(health=lambda: NOT_OK, ready=lambda: OK) as port:
        assert get_json(port, "/health") == (503, {"status": "stuck", "of": "b"})
        assert get_json(port, "/ready") == (200, {"status": "ok", "of": "a"})


def test_metrics_are_in_prometheus_text_format() -> None:
    """With the content type that names the format."""
    with probes() as port:
        answer, body = get(port, "/metrics")
    assert (answer.status, answer.headers["Content-Type"], body) == (200, PROMETHEUS, b"a 1\n")


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/else"])
def test_head_is_get_without_the_body(path: str) -> None:
    """The same status and the same length."""
    with probes() as port:
        response, body = get(port, path)
        head = raw(port, f"HEAD {path} HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {response.status} ")
    assert head.endswith("\r\n\r\n")
    assert f"Content-Length: {len(body)}\r\n" in head


@pytest.mark.parametrize(
    "noise", [b"\0\xff\r\n\r\n", b"GET\r\n\r\n", b"A" * 70_000, b"GET / HTTP/1.1\r\nHos"]
)
def test_garbage_does_not_end_the_server(noise: bytes) -> None:
    """Even if the client closes the connection; the next request is answered."""
    with probes() as port:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                client.sendall(noise)
        assert get_json(port, "/health")[0] == 200


@pytest.mark.parametrize("framing", ["Content-Length: {}", "Transfer-Encoding: chunked"])
def test_a_body_is_not_parsed_as_a_request(framing: str) -> None:
    """The server does not read it, and closes the connection."""
    body = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    request = f"GET /health HTTP/1.1\r\nHost: x\r\n{framing.format(len(body))}\r\n\r\n{body}"
    with probes() as port:
        responses = raw(port, request)
    assert responses.count("HTTP/1.1 200") == 1
    assert "Connection: close\r\n" in responses


def test_an_unsupported_method_is_refused_in_json() -> None:
    """No page of HTML from the standard library."""
    with probes() as port:
        answer, body = get(port, "/health", "POST")
    assert (answer.status, answer.headers["Content-Type"]) == (501, "application/json")
    assert "POST" in json.loads(body)["status"]


def test_an_endpoint_that_fails_does_not_end_the_server() -> None:
    """It returns 500, the others work."""
    with probes(ready=lambda: ProbeResult(True, {"of": 1 / 0})) as port:
        assert get_json(port, "/ready") == (500, {"status": "failed"})
        assert get_json(port, "/health")[0] == 200


def test_a_taken_port_is_an_error_at_the_start() -> None:
    """Two servers on one port would share its requests."""
    with probes() as port, pytest.raises(OSError, match="in use"):
        ProbeServer(Endpoints(lambda: OK, lambda: OK, bytes), "127.0.0.1", port)


def test_the_port_is_free_after_the_end() -> None:
    """The port is free again, even while a client keeps its connection."""
    with probes() as port:
        client = HTTPConnection("127.0.0.1", port, timeout=10)
        client.request("GET", "/health")
        client.getresponse().read()
    with pytest.raises(ConnectionRefusedError):
        get(port, "/health")
    client.close()
    with ProbeServer(Endpoints(lambda: OK, lambda: OK, bytes), "127.0.0.1", port):
        assert get_json(port, "/health")[0] == 200
