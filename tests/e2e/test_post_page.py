"""The page that posts goals, in a real browser."""

import re
import subprocess
from typing import TYPE_CHECKING, Any

from tests.support.drivers.containers import Containers

if TYPE_CHECKING:
    from playwright.sync_api import Page


def open_form(page: "Page", containers: Containers) -> None:
    """Open the page that posts goals."""
    page.goto(f"{containers.events_url}/")


def test_a_goal_goes_from_the_form_to_the_ticker(containers: Containers, page: "Page") -> None:
    """Posted, corrected and taken back, while the ticker of its match is open beside the form."""
    open_form(page, containers)
    page.get_by_role("button", name="Post the goal").click()
    page.locator(".posted", has_text="READY").wait_for()
    assert "Lionel Messi" in page.locator(".posted b").inner_text()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="See it in the ticker").click()
    ticker = opened.value
    ticker.locator('.entry[data-status="READY"] h3', has_text="Lionel Messi").wait_for()
    assert ticker.locator(".scoreboard b").inner_text() == "1–0"
    page.get_by_role("button", name="Correct it").click()
    page.get_by_label("Player").fill("Julián Álvarez")
    page.get_by_role("button", name="Post the correction").click()
    page.locator(".posted b", has_text="Julián Álvarez").wait_for()
    ticker.locator(".entry h3", has_text="Julián Álvarez").wait_for()
    page.get_by_role("button", name="Take it back (VAR)").click()
    page.locator(".posted s", has_text="Julián Álvarez").wait_for()
    ticker.locator(".note", has_text="Taken back: Offside (VAR)").wait_for()
    assert ticker.locator(".entry").count() == 1
    ticker.locator(".scoreboard b", has_text=re.compile("^–$")).wait_for()
    assert ticker.locator(".scoreboard bdi").all_inner_texts() == ["Argentina", "France"]


def test_the_command_of_the_page_posts_a_goal(containers: Containers, page: "Page") -> None:
    """Below its ten lines, with the address that the page was opened at."""
    open_form(page, containers)
    assert page.locator(".lines li").count() == 10
    command = page.locator("pre code").inner_text()
    done = subprocess.run(("/bin/bash", "-c", command), capture_output=True, text=True, check=True)
    assert done.stdout.startswith("HTTP/1.1 202 ")
    page.goto(f"{containers.highlights_url}/")
    page.locator(".entry", has_text="John Doe").wait_for()


def test_the_form_goes_through_a_final(containers: Containers, page: "Page") -> None:
    """The next goal is filled in; after six of them the match stands at 3–3."""
    open_form(page, containers)
    for count in range(1, 7):
        page.get_by_role("button", name="Post the goal").click()
        page.locator(".posted").nth(count - 1).wait_for()
        page.locator(".posted", has_text="READY").nth(count - 1).wait_for()
    page.goto(f"{containers.highlights_url}/")
    page.locator(".match").wait_for()
    assert page.locator(".match").inner_text().split("\n")[:4] == ["Argentina", "3", "France", "3"]


def test_what_is_wrong_with_a_field_is_said_beside_it(containers: Containers, page: "Page") -> None:
    """In the words of the service; the field has the focus, and the next attempt is clean."""
    open_form(page, containers)
    minute = page.get_by_label("Minute")
    minute.fill("late")
    page.get_by_role("button", name="Post the goal").click()
    page.locator("#minute-error").wait_for()
    assert minute.get_attribute("aria-invalid") == "true"
    assert minute.get_attribute("aria-describedby") == "minute-error"
    assert minute.evaluate("field => field === document.activeElement")
    assert page.locator(".posted").count() == 0
    minute.fill("23")
    page.get_by_role("button", name="Post the goal").click()
    page.locator(".posted", has_text="READY").wait_for()
    assert page.locator("#minute-error").count() == 0


def test_a_key_is_sent_where_one_is_needed(containers: Containers, page: "Page") -> None:
    """The field for it opens by itself."""

    def guard(route: Any) -> None:
        if route.request.headers.get("x-api-key") == "right":
            route.continue_()
        else:
            route.fulfill(status=401, json={"detail": "A valid API key is needed."})

    page.route("**/events", guard)
    open_form(page, containers)
    page.get_by_role("button", name="Post the goal").click()
    page.locator("#error", has_text="A valid API key is needed.").wait_for()
    page.get_by_label("Key", exact=True).fill("right")
    page.get_by_role("button", name="Post the goal").click()
    page.locator(".posted", has_text="READY").wait_for()
