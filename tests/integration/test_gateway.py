"""The gateway in front of stand-ins for the functions that record the requests."""

import re
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.stack import ROOT
from local.stack.ports import HOST, HOST_IPV6, free_port, hosts
from local.stack.services import gateway as service
from local.stack.services.functions import PUBLIC, Function
from local.supervisor import NotReady, ProcessRegistry, Supervisor
from tests.support.servers.gateway import (
    BROKEN_OFF,
    SWAGGER_UI,
    Gateway,
    StandIn,
    running_gateway,
)

KIB = 1024


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
        ("GET", "highlights", "/matches?pageSize=2", "list_highlights"),
        ("GET", "highlights", "/highlights/stream?matchId=x", "stream_highlights"),
        ("GET", "highlights", "/highlights/stream/x", "stream_highlights"),
        ("GET", "highlights", "/highlights/streams", "get_highlight"),
        ("GET", "events", "/highlights/stream", "get_highlight"),
        ("GET", "highlights", "/highlights/16394183-5e08-5ac5-8c3d-e5126dda1b84", "get_highlight"),
        ("GET", "events", "/highlights/16394183-5e08-5ac5-8c3d-e5126dda1b84", "get_highlight"),
        # Paths that the function itself refuses.
        ("DELETE", "highlights", "/highlights", "list_highlights"),
        ("GET", "events", "/events", "ingest_event"),
        # Preflights.
        ("OPTIONS", "events", "/events", "ingest_event"),
        ("OPTIONS", "highlights", "/highlights", "list_highlights"),
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


@pytest.mark.parametrize("path", ["/nowhere", "/events/", "/highlights", "/matches", "/swagger/no"])
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


@pytest.mark.parametrize(
    "path", ["swagger/swagger-ui.css", "swagger/swagger-ui-bundle.js", "openapi.json"]
)
def test_pages_are_compressed_for_those_who_accept_it(
    gateway: Gateway, http: httpx.Client, path: str
) -> None:
    """And not sent again to a browser that has them."""
    url = f"{gateway.highlights}/{path}"
    plain = http.get(url, headers={"Accept-Encoding": "identity"})
    small = http.get(url, headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.headers["Vary"] == "Accept-Encoding"
    assert small.content == plain.content
    assert small.num_bytes_downloaded < plain.num_bytes_downloaded / 2
    assert http.get(url, headers={"If-None-Match": small.headers["ETag"]}).status_code == 304


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
        ("events", "/events", "POST, OPTIONS"),
        ("events", "/events/batch", "POST, OPTIONS"),
        ("events", "/health", "GET, HEAD, OPTIONS"),
        ("events", "/swagger", "GET, HEAD"),
        ("highlights", "/highlights", "GET, HEAD, OPTIONS"),
        ("highlights", "/highlights/x", "GET, HEAD, OPTIONS"),
        ("highlights", "/highlights/stream", "GET, HEAD, OPTIONS"),
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
    functions = {name: Function(name, 1) for name in PUBLIC}
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
