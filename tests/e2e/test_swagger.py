"""The Swagger UI pages in a real browser."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.drivers.containers import Containers

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed here")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def page() -> Iterator["Page"]:
    """A page of the installed browser; without one these tests are skipped."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip("no Chromium or Chrome is installed here")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def executed(page: "Page", url: str, operation: str) -> str:
    """Press "Execute" in an operation; return the status that the page shows."""
    page.goto(url)
    page.locator(f"#operations-{operation}").click()
    page.locator(f"#operations-{operation} .execute").click()
    answer = page.locator(f"#operations-{operation} .live-responses-table tr.response")
    return str(answer.locator(".response-col_status").first.inner_text()).split()[0]


def test_the_example_is_posted_from_the_page(containers: Containers, page: "Page") -> None:
    """The button posts the shown example, and gets a 202."""
    url = f"{containers.events_url}/swagger"
    assert executed(page, url, "events-ingestEvent") == "202"


def test_highlights_are_listed_from_the_page(containers: Containers, page: "Page") -> None:
    """The other port's page lists the highlights."""
    url = f"{containers.highlights_url}/swagger"
    assert executed(page, url, "highlights-listHighlights") == "200"


def test_each_page_leads_to_the_other(containers: Containers, page: "Page") -> None:
    """With the ports that the containers publish."""
    pages = [f"{url}/swagger" for url in (containers.events_url, containers.highlights_url)]
    for url, other in (pages, pages[::-1]):
        page.goto(url)
        page.locator("nav a").click()
        page.wait_for_url(other)
