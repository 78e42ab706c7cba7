"""Pages of other origins: what a browser lets them read of the functions and of the gateway."""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from functions.shared.http.cors import READABLE_HEADERS
from local.stack.ports import HOST, free_port
from local.stack.services import functions, gateway
from local.stack.services.functions import Function
from local.supervisor import ProcessRegistry, Supervisor
from tests.integration.test_pages import shown

KEY = "the-key-of-the-page"
CALLED = ("ingest_event", "get_highlight")
SCRIPT = """<!doctype html><pre></pre><script>
async function ask([url, options]) {
  try {
    const response = await fetch(url, options)
    const headers = ["Retry-After", "X-Correlation-Id"].map(name => response.headers.get(name))
    return [response.status, (await response.json()).title ?? "", ...headers]
  } catch (error) {
    return [error.name]
  }
}
Promise.all(REQUESTS.map(ask)).then(answers => {
  document.querySelector("pre").textContent = JSON.stringify(answers)
})
</script>"""


class PageServer(ThreadingHTTPServer):
    """Serves a page during `with`, on 127.0.0.1 and so on localhost, which are two origins."""

    page = ""

    def __init__(self) -> None:
        super().__init__((HOST, 0), PageHandler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def read_by(self, host: str, folder: Path) -> list[list[Any]]:
        """Return what the page, when it is of this host, could read of each answer."""
        dom = shown(f"http://{host}:{self.server_port}/", folder)
        (text,) = re.findall(r"<pre>(.+)</pre>", dom)
        answers: list[list[Any]] = json.loads(unescape(text))
        return answers


class PageHandler(BaseHTTPRequestHandler):
    """Answers with the page."""

    server: PageServer

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.server.page.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def running(
    folder: Path, origins: str, called: Sequence[str] = CALLED
) -> Iterator[tuple[str, str]]:
    """Run a gateway, and functions without their services; return its URLs.

    Pages of these origins may use them. list-highlights does not run.
    """
    made = {name: Function(name, free_port()) for name in functions.NAMES}
    events, highlights = free_port(), free_port()
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:1",
        "DATABASE_URL": f"postgresql://user:secret@{HOST}:1/goalstream",
        "API_KEYS": KEY,
        "CORS_ORIGINS": origins,
    }
    supervisor = Supervisor(folder, ProcessRegistry(folder / "processes.json"), print)
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("CORS_ORIGINS", raising=False)
        if origins:
            environment.setenv("CORS_ORIGINS", origins)
        environment.setenv("START_TIMEOUT_S", "1")
        try:
            supervisor.run(
                gateway.server(events, highlights, made, folder),
                *(functions.server(made[n], settings, folder, ready_at="/health") for n in called),
                timeout_s=60,
            )
            yield f"http://{HOST}:{events}", f"http://{HOST}:{highlights}"
        finally:
            supervisor.stop([gateway.NAME, *called], timeout_s=10)


def requests(events: str, highlights: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the requests of a page, as `fetch` takes them."""
    body = {"Content-Type": "application/json"}
    key = {"Authorization": f"Bearer {KEY}"}
    more = {"If-None-Match": '"x"', "traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
    post = {"method": "POST", "body": "{}"}
    return [
        (f"{events}/health", {}),
        (f"{events}/events", post | {"headers": body}),
        (f"{events}/events", post | {"headers": body | {"X-Api-Key": KEY, "Idempotency-Key": "1"}}),
        (f"{events}/events", post | {"headers": body, "body": "x" * 70_000}),
        (f"{highlights}/highlights/x", {"headers": key | more}),
        (f"{highlights}/highlights", {}),
        (f"{highlights}/nowhere", {}),
    ]


def test_a_page_reads_answers_and_errors_if_its_origin_is_allowed(tmp_path: Path) -> None:
    """Of the functions and of the gateway, with their headers; another page reads nothing."""
    with PageServer() as server:
        origins = f"https://app.example http://{HOST}:{server.server_port}"
        with running(tmp_path, origins) as urls:
            server.page = SCRIPT.replace("REQUESTS", json.dumps(requests(*urls)))
            answers = server.read_by(HOST, tmp_path / "allowed")
            stranger = server.read_by("localhost", tmp_path / "stranger")
    assert [answer[:2] for answer in answers] == [
        [200, ""],
        [401, "Unauthorized"],
        [400, "Bad Request"],
        [413, "Content Too Large"],
        [404, "Not Found"],
        [503, "Service Unavailable"],
        [404, "Not Found"],
    ]
    assert [answer[2] for answer in answers] == [None] * 5 + ["1", None]
    assert [bool(answer[3]) for answer in answers] == [True, True, True, False, True, False, False]
    assert stranger == [["TypeError"]] * len(answers)


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ("", "https://app.example", None),
        ("*", "https://app.example", "https://app.example"),
        ("*", None, None),
        ("https://app.example", "https://app.example", "https://app.example"),
        ("https://a.example https://app.example", "https://app.example", "https://app.example"),
        ("https://a.example https://app.example", "https://p.example", None),
        ("https://a.example", "https://a.exampl", None),
        ("https://a.example", None, None),
    ],
)
def test_the_errors_of_the_gateway_are_for_the_same_origins(
    tmp_path: Path, http: httpx.Client, origins: str, origin: str | None, allowed: str | None
) -> None:
    """As those of the functions."""
    with running(tmp_path, origins, called=()) as (events, highlights):
        headers = {"Origin": origin} if origin else {}
        for method, url in (
            ("GET", f"{events}/nowhere"),
            ("TRACE", f"{events}/events"),
            ("GET", f"{highlights}/highlights"),
        ):
            response = http.request(method, url, headers=headers)
            assert response.status_code in (404, 405, 503)
            assert response.headers.get("Access-Control-Allow-Origin") == allowed
            exposed = response.headers.get("Access-Control-Expose-Headers", "")
            assert exposed == (READABLE_HEADERS.decode() if allowed else "")
