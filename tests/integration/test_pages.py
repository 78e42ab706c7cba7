"""The Swagger UI pages, as a browser renders them."""

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from local.stack.browser import find_browser
from tests.support.servers.gateway import Gateway, StandIn, running_gateway

PORTS = ("events", "highlights")
OPERATIONS = {"events": 2, "highlights": 4}  # of each port, without its health


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The gateway that all tests of this file share."""
    with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@contextmanager
def answering(gateway: Gateway, status: int) -> Iterator[None]:
    """Functions that answer every request with this status."""
    with ExitStack() as running:
        for function in gateway.functions.values():
            stand_in = running.enter_context(StandIn(function, status))
            thread = threading.Thread(target=stand_in.serve_forever, args=(0.01,))
            running.callback(thread.join)
            thread.start()
            running.callback(stand_in.shutdown)
        yield


def shown(url: str, folder: Path) -> str:
    """Return the page after its scripts have run; without a browser the test is skipped."""
    browser = find_browser()
    if browser is None:
        pytest.skip("no Chromium or Chrome is installed here")
    return subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}",
         "--virtual-time-budget=20000", "--dump-dom", url],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout  # fmt: skip


def title(page: httpx.Response) -> str:
    """Return the page's title."""
    (found,) = re.findall(r"<title>(.*)</title>", page.text)
    return str(found)


@pytest.mark.parametrize(("port", "other"), [PORTS, PORTS[::-1]])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_each_page_leads_to_the_other_by_its_title(
    gateway: Gateway, http: httpx.Client, port: str, other: str, host: str
) -> None:
    """With the host of the request, whatever the ports are."""
    mine, others = (str(httpx.URL(getattr(gateway, name)).port) for name in (port, other))
    url = f"{getattr(gateway, port)}/swagger"
    page = http.get(url, headers={"Host": f"{host}:{mine}"})
    assert title(page) == f"GoalStream {port}"
    (link,) = re.findall(r'<a class="link" href="(.*)">(.*)</a>', page.text)
    assert link == (f"//{host}:{others}/swagger", f"GoalStream {other}")
    assert title(http.get(f"{getattr(gateway, other)}/swagger")) == link[1]


@pytest.mark.parametrize(
    ("port", "other", "words"),
    [("events", "highlights", "Live ticker"), ("highlights", "events", "Post a goal")],
)
def test_the_ticker_and_the_form_lead_to_each_other(
    gateway: Gateway, http: httpx.Client, port: str, other: str, words: str
) -> None:
    """With the host of the request, as a name that a page cannot be broken with."""
    mine, others = (str(httpx.URL(getattr(gateway, name)).port) for name in (port, other))
    page = http.get(f"{getattr(gateway, port)}/", headers={"Host": f"goals.example:{mine}"})
    assert re.findall(rf'href="([^"]*)"[^>]*>{words}<', page.text) == [f"//goals.example:{others}/"]


@pytest.mark.parametrize("port", PORTS)
def test_a_slash_at_the_end_leads_to_the_page(
    gateway: Gateway, http: httpx.Client, port: str
) -> None:
    """A trailing slash is not a 404."""
    page = http.get(f"{getattr(gateway, port)}/swagger/", follow_redirects=True)
    assert (page.status_code, page.url.path) == (200, "/swagger")


@pytest.mark.parametrize(("status", "locks"), [(202, False), (401, True)])
@pytest.mark.parametrize("port", PORTS)
def test_an_operation_has_a_lock_where_a_key_is_needed(
    gateway: Gateway, tmp_path: Path, port: str, status: int, locks: bool
) -> None:
    """Nowhere else is a lock; operations are grouped."""
    with answering(gateway, status):
        page = shown(f"{getattr(gateway, port)}/swagger", tmp_path)
    groups = re.findall(
        r'<div class="opblock-tag-section.*?(?=<div class="opblock-tag-section|$)', page, re.DOTALL
    )
    assert [re.findall(r'data-tag="(\w+)"', group) for group in groups] == [[port], ["service"]]
    operations, service = (group.count('opblock-summary-path"') for group in groups)
    assert (operations, service) == (OPERATIONS[port], 1)
    assert [group.count("authorization__btn") for group in groups] == [operations * locks, 0]
    assert ("auth-wrapper" in page) == locks
