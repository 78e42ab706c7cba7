"""The HTTP probes of a long-running tool: GET /health, /ready, /metrics, and pages of its own."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
IDLE_TIMEOUT_S = 10.0  # of a connection
POLL_INTERVAL_S = 0.1  # in which the server notices that it is to stop

log = logging.getLogger(__name__)


class CannotListen(Exception):
    """The probes' port cannot be listened on; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Whether all is well, and the details, which become JSON."""

    is_ok: bool
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The function behind each path, called in a thread for each request.

    `more` are pages of the tool's own, by their paths.
    """

    health: Callable[[], ProbeResult]
    ready: Callable[[], ProbeResult]
    metrics: Callable[[], bytes]
    more: Mapping[str, Callable[[], ProbeResult]] = field(default_factory=dict)


def health_result(key: str, problems: Iterable[tuple[str, str | None]]) -> ProbeResult:
    """Return what a health probe answers: `{key: {name: problem or "ok"}}`, ok without problems.

    `problems` are pairs of a name and of what a restart would fix, if anything; a problem hides
    an "ok" of the same name.
    """
    states: dict[str, str] = {}
    for name, problem in problems:
        if problem or name not in states:
            states[name] = problem or "ok"
    return ProbeResult(all(state == "ok" for state in states.values()), {key: states})


def exposition(registry: CollectorRegistry) -> bytes:
    """Return all metrics in Prometheus' text format, without their useless times of creation."""
    return generate_latest(_WithoutCreated(registry))


def serve(endpoints: Endpoints, host: str, port: int | None) -> AbstractContextManager[object]:
    """Return a context that serves the probes; a `port` of None serves nothing, 0 is a free one.

    Raises:
        CannotListen: the port is taken, or there is no such address.
    """
    if port is None:
        return nullcontext()
    try:
        return ProbeServer(endpoints, host, port)
    except OSError as error:
        raise CannotListen(f"--host {host} --port {port}: {error.strerror}") from error


class ProbeServer:
    """Serves within its context; for port 0 the attribute `port` is the one chosen.

    Raises OSError when the port cannot be listened on.
    """

    def __init__(self, endpoints: Endpoints, host: str, port: int) -> None:
        self._server = _Server(endpoints, host, port)
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_INTERVAL_S,), name="probes", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        fields = {"host": self._server.server_name, "port": self.port}
        log.info("probes are served", extra={"fields": fields})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_port = False  # so that binding a taken port fails

    def __init__(self, endpoints: Endpoints, host: str, port: int) -> None:
        self.endpoints = endpoints
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without looking up the host's name: a slow name server would delay the start."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()[:2]

    def handle_error(self, *_: object) -> None:
        """Log quietly: the client has closed the connection."""
        log.debug("a probe's connection broke", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_TIMEOUT_S

    def do_GET(self) -> None:
        """Answer, and close the connection if there is a body: it is not read."""
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers or any(length != "0" for length in lengths):
            self.close_connection = True
        try:
            status, content_type, body = self._respond(self.path.partition("?")[0])
        except Exception:
            log.exception("a probe failed")
            status, content_type, body = _json(500, {"status": "failed"})
        self._send(status, content_type, body)

    do_HEAD = do_GET  # noqa: N815 (the base class asks for it)

    def send_error(self, code: int, message: str | None = None, _: str | None = None) -> None:
        """Refuse what is no request for a page, in JSON like every other response."""
        self.close_connection = True
        self._send(*_json(code, {"status": message or "refused"}))

    def log_message(self, *_: object) -> None:
        """Log no requests."""

    def _respond(self, path: str) -> tuple[int, str, bytes]:
        endpoints = self.server.endpoints
        if path == "/metrics":
            return 200, PROMETHEUS, endpoints.metrics()
        if path == "/health":
            return _result(endpoints.health(), "stuck")
        if path == "/ready":
            return _result(endpoints.ready(), "not ready")
        if path in endpoints.more:
            return _result(endpoints.more[path](), "not well")
        return _json(404, {"status": "not found"})

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _WithoutCreated(Collector):
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        for metric in self._registry.collect():
            metric.samples = [each for each in metric.samples if not each.name.endswith("_created")]
            yield metric


def _result(result: ProbeResult, failure: str) -> tuple[int, str, bytes]:
    status = "ok" if result.is_ok else failure
    return _json(200 if result.is_ok else 503, {"status": status, **result.body})


def _json(status: int, body: Mapping[str, object]) -> tuple[int, str, bytes]:
    return status, "application/json", f"{json.dumps(body)}\n".encode()
