"""The gateway in front of stand-ins for the functions."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType

from local.stack import ROOT
from local.stack.ports import HOST, free_port
from local.stack.services import gateway, package_folder
from local.stack.services.functions import PUBLIC, Function
from local.supervisor import ProcessRegistry, Supervisor

BROKEN_OFF = -1
SWAGGER_UI = package_folder("flask_swagger_ui") / "dist"
ROUTED = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class StandIn(ThreadingHTTPServer):
    """Answers like a function, with that function's name, and records the requests."""

    daemon_threads = True

    def __init__(self, function: Function, status: int = 202) -> None:
        self.function = function
        self.status = status
        self.requests: list[tuple[str, str, int]] = []
        super().__init__((HOST, function.port), Handler)


class Handler(BaseHTTPRequestHandler):
    """Answers with the name of the function, or closes the connection without an answer."""

    protocol_version = "HTTP/1.1"
    server: StandIn

    def handle_one_request(self) -> None:
        """Serve every method alike."""
        for method in ROUTED:
            setattr(self, f"do_{method}", self.answer)
        super().handle_one_request()

    def answer(self) -> None:
        """Read the body and answer."""
        # A connection that is kept would still lead to this stand-in in the next test.
        self.close_connection = True
        body = self.body()
        size = BROKEN_OFF if body is None else len(body)
        self.server.requests.append((self.command, self.path, size))
        if body in (None, b"hang up"):
            return
        content = json.dumps({"function": self.server.function.name}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def body(self) -> bytes | None:
        """The body, or None if the gateway broke off in the middle."""
        if self.headers["Transfer-Encoding"] != "chunked":
            announced = int(self.headers["Content-Length"] or 0)
            body = self.rfile.read(announced)
            return body if len(body) == announced else None
        body = b""
        while size := int(self.rfile.readline() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        return body if self.rfile.readline() else None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Log nothing."""


@dataclass
class Gateway:
    """A running gateway and its functions."""

    events: str
    highlights: str
    functions: dict[str, Function]


@contextmanager
def running_gateway(
    folder: Path,
    root: Path = ROOT,
    swagger_ui: Path = SWAGGER_UI,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Gateway]:
    """Run a gateway; its functions do not run until a test starts a stand-in."""
    folder.mkdir(exist_ok=True)
    functions = {name: Function(name, free_port()) for name in PUBLIC}
    ports = free_port(), free_port()
    supervisor = Supervisor(folder, ProcessRegistry(folder / "processes.json"), print)
    supervisor.run(
        gateway.server(*ports, functions, folder, settings, root, swagger_ui), timeout_s=30
    )
    try:
        yield Gateway(f"http://{HOST}:{ports[0]}", f"http://{HOST}:{ports[1]}", functions)
    finally:
        supervisor.stop([gateway.NAME], timeout_s=10)
