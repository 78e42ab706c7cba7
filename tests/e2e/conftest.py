"""The project in containers, built and started once for all tests."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from local.stack.browser import find_browser
from local.stack.ports import free_port
from tests.support.drivers.containers import LASTING, SECRETS, Containers, new_secrets
from tests.support.drivers.docker import docker_runs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RESTORED_WITHIN_S = 60


ABOUT_HALF = ("tests/e2e/test_faults.py", "tests/e2e/test_isolation.py")  # of the time


class InTwoHalves(LoadScopeScheduling):  # type: ignore[misc]
    """Splits the tests between two xdist workers, as each starts the containers."""

    def _split_scope(self, nodeid: str) -> str:
        return str(nodeid.startswith(ABOUT_HALF))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> InTwoHalves:
    """Distribute the tests among the workers."""
    return InTwoHalves(config, log)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Containers]:
    """Running containers; without Docker these tests are skipped."""
    if not docker_runs():
        pytest.skip("Docker with Compose does not run here")
    settings = {
        "GOALSTREAM_EVENTS_PORT": str(free_port()),
        "GOALSTREAM_HIGHLIGHTS_PORT": str(free_port()),
        **new_secrets(tmp_path_factory.mktemp("secrets"), *SECRETS),
    }
    containers = Containers(f"goalstream-e2e-{worker_id}", settings)
    try:
        containers.up("--build")
        yield containers
    finally:
        containers.down()


@pytest.fixture
def containers(running: Containers) -> Iterator[Containers]:
    """Running containers with an empty table; they are restored after each test."""
    running.clear()
    yield running
    restore(running)


def restore(containers: Containers) -> None:
    """Wait until all are healthy by themselves; otherwise start the missing ones."""
    deadline = time.monotonic() + RESTORED_WITHIN_S
    while not containers.are_healthy():
        if time.monotonic() > deadline:
            containers.up("--no-recreate", *LASTING)
            return
        time.sleep(0.2)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """The installed browser; without one its tests are skipped.

    It is closed before the tests of another file: while it runs, the thread has an event loop.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing here")
    executable = find_browser()
    if executable is None:
        pytest.skip("no Chromium or Chrome is installed here")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A page of a new session of the browser, which fails its test if a script of it fails."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []
