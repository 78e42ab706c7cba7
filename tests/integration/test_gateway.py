"""The gateway in front of stand-ins for the functions that record the requests."""

import json
import re
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from local.stack import ROOT
from local.stack.ports import HOST, HOST_IPV6, free_port, hosts
from local.stack.services import gateway as service
from local.stack.services import package_folder
from local.stack.services.functions import Function
from local.supervisor import NotReady, ProcessRegistry, Supervisor

KIB = 1024
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
    folder: Path, root: Path = ROOT, swagger_ui: Path = SWAGGER_UI
) -> Iterator[Gateway]:
    """Run a gateway; its functions do not run until a test starts a stand-in."""
    folder.mkdir(exist_ok=True)
    names = ("ingest_event", "list_highlights", "get_highlight")
    functions = {name: Function(name, free_port()) for name in names}
    ports = free_port(), free_port()
    supervisor = Supervisor(folder, ProcessRegistry(folder / "processes.json"), print)
    supervisor.run(
        service.server(*ports, functions, folder, root=root, swagger_ui=swagger_ui),
        timeout_s=30,
    )
    yield Gateway(f"http://{HOST}:{ports[0]}", f"http://{HOST}:{ports[1]}", functions)
    supervisor.stop([service.NAME], timeout_s=10)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The gateway that all tests of this file share."""
    with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def stand_ins(gateway: Gateway) -> Iterator[dict[str, StandIn]]:
    """A stand-in for each function."""
    made = {name: StandIn(function) for name, function in gateway.functions.items()}
    threads = [threading.Thread(target=each.serve_forever, args=(0.01,)) for each in made.values()]
    for thread in threads:
        thread.start()
    yield made
    for each in made.values():
        each.shutdown()
        each.server_close()
    for thread in threads:
        thread.join()


def assert_problem(response: httpx.Response, status: int, title: str) -> None:
    """Check that an error is valid problem details (RFC 9457)."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["type"], problem["status"], problem["title"]) == ("about:blank", status, title)
    assert problem["detail"]


@pytest.mark.parametrize(
    ("method", "port", "path", "function"),
    [
        ("POST", "events", "/events", "ingest_event"),
        ("POST", "events", "/events/batch", "ingest_event"),
        ("GET", "events", "/health", "ingest_event"),
        ("GET", "highlights", "/highlights?page=2", "list_highlights"),
        ("GET", "highlights", "/health", "list_highlights"),
        ("HEAD", "highlights", "/highlights", "list_highlights"),
        ("GET", "highlights", "/highlights/16394183-5e08-5ac5-8c3d-e5126dda1b84", "get_highlight"),
        ("GET", "events", "/highlights/16394183-5e08-5ac5-8c3d-e5126dda1b84", "get_highlight"),
        # Paths that the function itself refuses.
        ("DELETE", "highlights", "/highlights", "list_highlights"),
        ("GET", "events", "/events", "ingest_event"),
    ],
)
def test_each_path_leads_to_its_function_as_it_came(
    gateway: Gateway, stand_ins: dict[str, StandIn], http: httpx.Client, method: str, port: str,
    path: str, function: str,
) -> None:  # fmt: skip
    """Method, path, query and body are forwarded unchanged."""
    content = b'{"a": 1}' if method == "POST" else b""
    response = http.request(method, getattr(gateway, port) + path, content=content)
    assert response.status_code == 202
    assert stand_ins[function].requests == [(method, path, len(content))]


@pytest.mark.parametrize("path", ["/nowhere", "/events/", "/highlights", "/swagger/no"])
def test_nothing_else_is_served_on_the_port_of_events(
    gateway: Gateway, stand_ins: dict[str, StandIn], http: httpx.Client, path: str
) -> None:
    """404 as problem details, and no function is called."""
    assert_problem(http.get(gateway.events + path), 404, "Not Found")
    assert not any(each.requests for each in stand_ins.values())


@pytest.mark.parametrize("path", ["/nowhere", "/events", "/consume", "/swagger/../../Caddyfile"])
def test_nothing_else_is_served_on_the_port_of_highlights(
    gateway: Gateway, http: httpx.Client, path: str
) -> None:
    """Nor are files beside the page on the disk."""
    assert_problem(http.get(gateway.highlights + path), 404, "Not Found")


@pytest.mark.parametrize("port", ["events", "highlights"])
def test_each_port_has_a_page_to_try_it_with_all_that_it_needs(
    gateway: Gateway, http: httpx.Client, port: str
) -> None:
    """Swagger UI from this machine, for this port's own OpenAPI document."""
    url = getattr(gateway, port)
    page = http.get(f"{url}/swagger")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "://" not in page.text
    for asset in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"):
        assert f"swagger/{asset}" in page.text
        assert http.get(f"{url}/swagger/{asset}").status_code == 200
    document = http.get(f"{url}/openapi.json")
    assert document.headers["Content-Type"] == "application/json"
    assert any(path.startswith(f"/{port}") for path in document.json()["paths"])


@pytest.mark.parametrize(("port", "script"), [("events", "post.js"), ("highlights", "ticker.js")])
def test_the_first_page_of_a_port_loads_only_what_its_gateway_serves(
    gateway: Gateway, http: httpx.Client, port: str, script: str
) -> None:
    """All files of the page and of its modules are there, under a policy that allows no others."""
    url = f"{getattr(gateway, port)}/"
    page = http.get(f"{url}?match=any")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"pages/{script}" in page.text
    loaded = dict.fromkeys(re.findall(r'(?:src|href)="(pages/[^"]*)"', page.text))
    while loaded and (path := next((each for each, seen in loaded.items() if not seen), None)):
        file = http.get(url + path)
        assert file.status_code == 200
        loaded[path] = True
        imported = re.findall(r'from "\./([^"]*)"', file.text)
        loaded |= {f"pages/{each}": loaded.get(f"pages/{each}") for each in imported}
    assert len(loaded) > 3
    for each in (page, *(http.get(url + path) for path in loaded)):
        assert each.headers["X-Content-Type-Options"] == "nosniff"
        policy = dict(
            part.split(" ", 1) for part in each.headers["Content-Security-Policy"].split("; ")
        )
        assert policy["default-src"] == "'none'"
        assert policy["require-trusted-types-for"] == "'script'"
        assert set(policy.values()) <= {"'none'", "'self'", "'script'"}


def test_a_page_itself_is_no_file_of_its_folder(gateway: Gateway, http: httpx.Client) -> None:
    """It is a template, and is served at / only."""
    assert_problem(http.get(f"{gateway.highlights}/pages/ticker.html"), 404, "Not Found")


@pytest.mark.parametrize(("path", "limit"), [("/events", 64 * KIB), ("/events/batch", 2048 * KIB)])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_body_over_its_limit_is_refused(
    gateway: Gateway, stand_ins: dict[str, StandIn], http: httpx.Client, path: str, limit: int,
    streamed: bool,
) -> None:  # fmt: skip
    """Exactly the limit passes, one byte more does not; announced, it reaches no function."""

    def post(size: int) -> httpx.Response:
        body = b"x" * size
        return http.post(gateway.events + path, content=iter([body]) if streamed else body)

    assert post(limit).status_code == 202
    assert_problem(post(limit + 1), 413, "Content Too Large")
    passed, *refused = stand_ins["ingest_event"].requests
    assert passed == ("POST", path, limit)
    assert refused in ([], [("POST", path, BROKEN_OFF)] if streamed else [])


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PURGE", "QUERY"])
@pytest.mark.parametrize(
    ("port", "path", "allow"),
    [
        ("events", "/events", "POST"),
        ("events", "/events/batch", "POST"),
        ("events", "/health", "GET, HEAD"),
        ("events", "/swagger", "GET, HEAD"),
        ("highlights", "/highlights", "GET, HEAD"),
        ("highlights", "/highlights/x", "GET, HEAD"),
        ("highlights", "/openapi.json", "GET, HEAD"),
    ],
)
def test_a_method_that_no_function_knows_is_refused_with_those_that_are_allowed(
    gateway: Gateway, http: httpx.Client, method: str, port: str, path: str, allow: str
) -> None:
    """405 as problem details, also for methods that the functions' server answers differently."""
    response = http.request(method, getattr(gateway, port) + path)
    assert_problem(response, 405, "Method Not Allowed")
    assert response.headers["Allow"] == allow


def test_an_unavailable_function_is_a_503_with_retry_after(
    gateway: Gateway, http: httpx.Client
) -> None:
    """It is not a bare 502."""
    response = http.get(f"{gateway.highlights}/highlights")
    assert_problem(response, 503, "Service Unavailable")
    assert response.headers["Retry-After"] == "1"


def test_a_request_is_held_while_its_function_starts(gateway: Gateway, http: httpx.Client) -> None:
    """Clients do not notice a function that restarts within a second."""
    answers: list[httpx.Response] = []
    poster = threading.Thread(
        target=lambda: answers.append(http.post(f"{gateway.events}/events", content=b"x" * 1000))
    )
    poster.start()
    poster.join(timeout=0.3)
    assert poster.is_alive()
    with StandIn(gateway.functions["ingest_event"]) as function:
        thread = threading.Thread(target=function.serve_forever, args=(0.01,))
        thread.start()
        poster.join()
        function.shutdown()
        thread.join()
    assert answers[0].status_code == 202
    assert function.requests == [("POST", "/events", 1000)]


def test_a_post_that_may_have_arrived_is_never_retried(
    gateway: Gateway, stand_ins: dict[str, StandIn], http: httpx.Client
) -> None:
    """Only its sender knows whether a retry is safe."""
    response = http.post(f"{gateway.events}/events", content=b"hang up")
    assert_problem(response, 503, "Service Unavailable")
    assert stand_ins["ingest_event"].requests == [("POST", "/events", 7)]


@pytest.mark.parametrize("folder", ["my own project", "my  project", "é 'q' \"p\" `b` {c} $d #e"])
def test_the_project_may_be_in_any_folder(tmp_path: Path, http: httpx.Client, folder: str) -> None:
    """With spaces, quotes, braces and non-ASCII characters in its path."""
    root = tmp_path / folder
    shutil.copytree(ROOT / "local" / "gateway", root / "local" / "gateway")
    shutil.copytree(ROOT / "infra" / "openapi", root / "infra" / "openapi")
    shutil.copytree(SWAGGER_UI, root / "swagger-ui")
    with running_gateway(root / "state", root=root, swagger_ui=root / "swagger-ui") as gateway:
        for url in (gateway.events, gateway.highlights):
            for path in (
                "",
                "pages/style.css",
                "swagger",
                "openapi.json",
                "swagger/swagger-ui.css",
            ):
                assert http.get(f"{url}/{path}").status_code == 200


def test_a_gateway_that_cannot_start_says_why(tmp_path: Path) -> None:
    """Its file is validated first, as `caddy run` does not report an error in it."""
    functions = {
        name: Function(name, 1) for name in ("ingest_event", "list_highlights", "get_highlight")
    }
    supervisor = Supervisor(tmp_path, ProcessRegistry(tmp_path / "processes.json"), print)
    port = free_port()
    with pytest.raises(NotReady) as failed:
        supervisor.run(
            service.check(service.server(port, port, functions, tmp_path)),
            timeout_s=30,
        )
    assert str(failed.value).startswith(f"gateway_check failed; {tmp_path}/gateway_check.log ends")
    assert f"ambiguous site definition: :{port}" in str(failed.value)


@pytest.mark.skipif(HOST_IPV6 not in hosts(), reason="this machine has no IPv6")
def test_localhost_leads_to_the_gateway_by_ipv6_too(gateway: Gateway, http: httpx.Client) -> None:
    """Some programs try only the first address of a host name."""
    for url in (gateway.events, gateway.highlights):
        assert http.get(url.replace(HOST, f"[{HOST_IPV6}]") + "/openapi.json").status_code == 200


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has more loopback addresses")
def test_the_gateway_is_only_reached_from_this_machine(gateway: Gateway) -> None:
    """It has no authentication yet."""
    port = int(gateway.events.rpartition(":")[2])
    with socket.socket() as other:
        other.bind(("127.0.0.2", port))
