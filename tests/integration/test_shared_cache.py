"""nginx as a shared cache before list-highlights, as a CDN would be."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import pytest

from local.stack.connectivity import accepts
from local.stack.ports import HOST, free_port
from local.stack.services import functions
from local.stack.services.functions import Function
from local.stack.stack import Stack
from local.supervisor import Command, Process
from tests.integration.framing.servers import NGINX, NOWHERE, running_supervisor
from tests.support.builders.events import FIRST_GOAL
from tests.support.drivers.table import Table
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.usefixtures("table"),
]

S_MAXAGE_S = 1
READERS, REQUESTS = 100, 10_000
KEYS = ("the-key-of-one-reader", "the-key-of-another-reader")
# Its second server counts the requests that the cache lets through, and closes the connection where
# the function accepts none.
CONFIGURATION = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {nowhere};
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 100000;
    client_body_temp_path {folder}/body; fastcgi_temp_path {folder}/fastcgi;
    proxy_temp_path {folder}/proxy; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache keys_zone=answers:1m;
    log_format count $status;
    server {{
        listen {host}:{port};
        location / {{
            proxy_pass http://{host}:{counter};
            proxy_cache answers;
            proxy_cache_lock on;
            proxy_cache_revalidate on;
            proxy_cache_background_update on;
            add_header Cache-Status $upstream_cache_status always;
        }}
    }}
    server {{
        listen {host}:{counter};
        access_log {folder}/count.log count;
        location / {{
            proxy_pass http://{host}:{function};
            error_page 502 = @gone;
        }}
        location @gone {{ return 444; }}
    }}
}}
"""


@dataclass
class SharedCache:
    """A running shared cache, and the function behind it."""

    port: int
    folder: Path
    function: Process

    @property
    def url(self) -> str:
        """The URL of the list, by way of the cache."""
        return f"http://{HOST}:{self.port}/highlights"

    def passed(self) -> list[str]:
        """Return the statuses with which the function has answered."""
        return (self.folder / "count.log").read_text().split()

    def kept(self) -> list[Path]:
        """Return the files of the answers that the cache keeps."""
        return [file for file in (self.folder / "cache").rglob("*") if file.is_file()]


@contextmanager
def shared_cache(stack: Stack, folder: Path, **settings: str) -> Iterator[SharedCache]:
    """Run list-highlights with these settings on the stack's services, and a cache before it."""
    function = Function("list_highlights", free_port())
    port, counter = free_port(), free_port()
    file = folder / "nginx.conf"
    file.write_text(
        CONFIGURATION.format(
            folder=folder, nowhere=NOWHERE, host=HOST, port=port, counter=counter,
            function=function.port,
        )
    )  # fmt: skip
    services = stack.addresses.function_settings(function.name)
    with running_supervisor(folder) as supervisor:
        supervisor.run(functions.server(function, {**services, **settings}, folder), timeout_s=60)
        supervisor.run(
            Command(
                "nginx", (NGINX or "", "-e", NOWHERE, "-c", file), {}, ready=lambda _: accepts(port)
            ),
            timeout_s=30,
        )
        yield SharedCache(port, folder, supervisor.processes[function.name])


async def read_often(port: int) -> Counter[bytes]:
    """Send REQUESTS requests, of READERS readers at the same time; return how often came what."""
    answers: Counter[bytes] = Counter()

    async def read() -> None:
        stream, writer = await asyncio.open_connection(HOST, port)
        for _ in range(REQUESTS // READERS):
            writer.write(b"GET /highlights HTTP/1.1\r\nHost: stadium.example\r\n\r\n")
            head = await stream.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
            answers[await stream.readexactly(length)] += 1
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(read() for _ in range(READERS)))
    return answers


def goal(stack: Stack, http: httpx.Client, **changes: object) -> None:
    """Send the goal, or a correction of it, and wait until its text is ready."""
    event = {**FIRST_GOAL, "eventId": "goal-1", **changes}
    location = http.post(f"{stack.events_url}/events", json=event).headers["Location"]
    expected = {"status": "READY", **changes}

    def is_ready() -> bool:
        answer = http.get(f"{stack.highlights_url}{location}")
        return answer.is_success and bool(answer.json().items() >= expected.items())

    eventually(is_ready)


def test_a_stadium_costs_the_function_a_handful_of_requests(
    stack: Stack, http: httpx.Client, tmp_path: Path
) -> None:
    """However many readers come at once, also at the moment at which the answer expires."""
    goal(stack, http)
    expected = http.get(f"{stack.highlights_url}/highlights").content
    with shared_cache(stack, tmp_path, CACHE_S_MAXAGE_S=str(S_MAXAGE_S)) as cache:
        began = time.monotonic()
        answers = asyncio.run(read_often(cache.port))
        took_s = time.monotonic() - began
        passed = len(cache.passed())
    assert answers == {expected: REQUESTS}
    assert 1 <= passed <= 2 + took_s / S_MAXAGE_S


def test_a_change_is_seen_once_the_answer_has_expired(
    stack: Stack, http: httpx.Client, tmp_path: Path
) -> None:
    """Readers do not wait for it: one gets the old answer while the cache asks for the new one."""
    goal(stack, http, player="Messi")
    with shared_cache(stack, tmp_path, CACHE_S_MAXAGE_S=str(S_MAXAGE_S)) as cache:
        (before,) = http.get(cache.url).json()
        goal(stack, http, player="Di María", revision=1)
        statuses = set()

        def is_seen() -> bool:
            answer = http.get(cache.url)
            statuses.add(answer.headers["Cache-Status"])
            return bool(answer.json()[0]["player"] == "Di María")

        eventually(is_seen)
    assert before["player"] == "Messi"
    assert statuses <= {"HIT", "STALE", "UPDATING", "EXPIRED"}


def test_a_function_that_is_gone_is_not_noticed_for_a_while(
    stack: Stack, http: httpx.Client, tmp_path: Path
) -> None:
    """The cache goes on with the last answer, also when it is too old to be given meanwhile."""
    with shared_cache(stack, tmp_path, CACHE_S_MAXAGE_S=str(S_MAXAGE_S)) as cache:
        assert http.get(cache.url).status_code == 200
        cache.function.stop()
        too_old_at = time.monotonic() + 2 * S_MAXAGE_S + 2  # nginx counts whole seconds

        def has_failed() -> bool:
            is_too_old = time.monotonic() > too_old_at
            answer = http.get(cache.url)
            assert (answer.status_code, answer.json()) == (200, [])
            return is_too_old and cache.passed()[-1] == "444"

        eventually(has_failed)


@pytest.mark.parametrize("settings", [{}, {"CACHE_S_MAXAGE_S": "1"}], ids=["off", "on"])
def test_what_needs_a_key_is_never_given_to_another_caller(
    stack: Stack, http: httpx.Client, tmp_path: Path, settings: dict[str, str]
) -> None:
    """The cache keeps nothing, whichever header a key is in."""
    one, other = KEYS
    callers: list[tuple[dict[str, str], int]] = [
        ({"X-Api-Key": one}, 200),
        ({}, 401),
        ({"Authorization": f"Bearer {other}"}, 200),
        ({"X-Api-Key": "a-wrong-key-of-someone"}, 401),
        ({"X-Api-Key": other}, 200),
    ]
    with shared_cache(stack, tmp_path, API_KEYS=" ".join(KEYS), **settings) as cache:
        for headers, status in callers:
            assert http.get(cache.url, headers=headers).status_code == status
        assert cache.passed() == [str(status) for _, status in callers]
        assert cache.kept() == []


def test_by_default_every_request_reaches_the_function(
    stack: Stack, http: httpx.Client, tmp_path: Path
) -> None:
    """So that a reader never sees an older answer after a newer one."""
    with shared_cache(stack, tmp_path) as cache:
        assert {http.get(cache.url).status_code for _ in range(3)} == {200}
        assert cache.passed() == ["200"] * 3


def test_each_page_is_allowed_to_read_an_answer_that_is_kept(
    stack: Stack, http: httpx.Client, tmp_path: Path
) -> None:
    """Whichever page asked first; a page of another origin is not."""
    pages = ["https://a.example", "https://b.example", "https://evil.example", None]
    settings = {"CORS_ORIGINS": "https://a.example https://b.example", "CACHE_S_MAXAGE_S": "60"}
    with shared_cache(stack, tmp_path, **settings) as cache:
        for _ in range(2):
            answers = [
                http.get(cache.url, headers={"Origin": page} if page else {}) for page in pages
            ]
            allowed = [answer.headers.get("Access-Control-Allow-Origin") for answer in answers]
            assert allowed == ["https://a.example", "https://b.example", None, None]
        assert {answer.headers["Cache-Status"] for answer in answers} == {"HIT"}
        assert len(cache.passed()) == len(pages)


def test_each_language_is_kept_by_itself(
    stack: Stack, http: httpx.Client, tmp_path: Path, table: Table
) -> None:
    """By the header as by the parameter; nobody is given the answer of another language."""
    goal(stack, http)
    written = {tag: {"title": f"goal {tag}", "summary": tag} for tag in ("en", "de")}
    table.run(
        "UPDATE highlights SET texts = cast(:texts AS json)", texts=orjson.dumps(written).decode()
    )
    settings = {"LANGUAGES": "en de", "CACHE_S_MAXAGE_S": "60"}
    with shared_cache(stack, tmp_path, **settings) as cache:
        for status in ("MISS", "HIT"):
            for tag in written:
                by_header = http.get(cache.url, headers={"Accept-Language": tag})
                by_parameter = http.get(
                    cache.url, params={"lang": tag}, headers={"Accept-Language": "fr"}
                )
                for answer in (by_header, by_parameter):
                    assert answer.json()[0]["title"] == f"goal {tag}"
                    assert answer.headers["Content-Language"] == tag
                    assert answer.headers["Cache-Status"] == status
        assert len(cache.passed()) == 2 * len(written)
