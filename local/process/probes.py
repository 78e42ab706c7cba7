"""What a long-running tool answers to who watches it: GET /health, /ready, /metrics and more."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Self

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
SILENT_FOR_S = 10.0  # then a connection is closed
STOPS_WITHIN_S = 0.1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """Whether all is well, and the particulars, which become JSON."""

    is_well: bool
    body: Mapping[str, object]


def health(what: str, troubles: Iterable[tuple[str, str | None]]) -> Report:
    """Whether nothing is in trouble that a restart would mend; else which it is, and why.

    `what` names the list; of things of one name, the one in trouble is told.
    """
    told: dict[str, str] = {}
    for name, trouble in troubles:
        if trouble or name not in told:
            told[name] = trouble or "ok"
    return Report(all(state == "ok" for state in told.values()), {what: told})


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the answers come from: called in a thread of each request's own.

    `more` are pages of the tool's own, by their paths.
    """

    health: Callable[[], Report]
    ready: Callable[[], Report]
    metrics: Callable[[], bytes]
    more: Mapping[str, Callable[[], Report]] = field(default_factory=dict)


class Probes:
    """Serves from `with` until its end; port 0 is a free one, which `port` tells.

    Raises OSError when the port cannot be listened on.
    """

    def __init__(self, sources: Sources, host: str, port: int) -> None:
        self._server = _Server(sources, host, port)
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(STOPS_WITHIN_S,), name="probes", daemon=True
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
    allow_reuse_port = False  # a port that is taken must be noticed

    def __init__(self, sources: Sources, host: str, port: int) -> None:
        self.sources = sources
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking for the host's name: a slow name server would hold the start up."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()[:2]

    def handle_error(self, *_: object) -> None:
        """Say nothing loud: whoever asked has hung up."""
        log.debug("a probe's connection broke", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = SILENT_FOR_S

    def do_GET(self) -> None:
        """Answer, for the last time if there is a body: nobody reads it, and it is no request."""
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers or any(length != "0" for length in lengths):
            self.close_connection = True
        try:
            status, kind, body = self._answer(self.path.partition("?")[0])
        except Exception:
            log.exception("a probe failed")
            status, kind, body = _json(500, {"status": "failed"})
        self._send(status, kind, body)

    do_HEAD = do_GET  # noqa: N815 (the base class asks for it)

    def send_error(self, code: int, message: str | None = None, _: str | None = None) -> None:
        """Refuse, in JSON as in all answers, what is no request for a page."""
        self.close_connection = True
        self._send(*_json(code, {"status": message or "refused"}))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, path: str) -> tuple[int, str, bytes]:
        sources = self.server.sources
        if path == "/metrics":
            return 200, PROMETHEUS, sources.metrics()
        if path == "/health":
            return _report(sources.health(), "stuck")
        if path == "/ready":
            return _report(sources.ready(), "not ready")
        if path in sources.more:
            return _report(sources.more[path](), "not well")
        return _json(404, {"status": "not found"})

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _report(report: Report, otherwise: str) -> tuple[int, str, bytes]:
    status = "ok" if report.is_well else otherwise
    return _json(200 if report.is_well else 503, {"status": status, **report.body})


def _json(status: int, body: Mapping[str, object]) -> tuple[int, str, bytes]:
    return status, "application/json", f"{json.dumps(body)}\n".encode()
