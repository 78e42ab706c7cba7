"""The Swagger UI pages in a real browser."""

from typing import TYPE_CHECKING

from tests.support.drivers.containers import Containers

if TYPE_CHECKING:
    from playwright.sync_api import Page


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
