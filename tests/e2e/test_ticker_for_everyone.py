"""The ticker and the page that posts goals, for every eye, hand, script and screen."""

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.e2e.test_ticker import open_ticker, post, wait_for
from tests.support.builders.events import MATCH
from tests.support.drivers.containers import Containers

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing here")
SIZES = {"phone": (390, 844), "narrow": (320, 700), "desktop": (1280, 800)}
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"
ARABIC, HEBREW, LONG, REVERSING = "محمد صلاح", "מכבי תל אביב", "x" * 128, "\u202eReversed"


def post_strange_names(containers: Containers, http: httpx.Client) -> list[str]:
    """Post goals with names that break careless pages; return the ids of their highlights."""
    names = (MARKUP, ARABIC, LONG, REVERSING)
    return [
        post(
            containers, http, eventId=str(number), player=player, team="home", minute=number,
            homeTeam=HEBREW, awayTeam=LONG, homeScore=number + 1, awayScore=0,
            occurredAt=f"2025-12-08T20:{number:02}:00Z",
            description="A line\N{LINE SEPARATOR}that\rgoes\non.",
        )
        for number, player in enumerate(names)
    ]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(
    containers: Containers, browser: "Browser", http: httpx.Client, size: str, theme: Any
) -> None:
    """Contrast, landmarks, names and roles, with all kinds of highlights on the pages."""
    *_, last = post_strange_names(containers, http)
    fields = {"eventId": "3", "revision": 1, "retracted": True, "reason": "Offside"}
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
    )
    page = context.new_page()
    open_ticker(page, containers)
    wait_for(page, last)
    post(containers, http, **fields)
    wait_for(page, last, "RETRACTED")
    for url in (
        f"{containers.highlights_url}/",
        f"{containers.highlights_url}/?match={MATCH}",
        f"{containers.events_url}/",
    ):
        if page.url != url:
            page.goto(url)
            page.wait_for_load_state()
        if url != f"{containers.events_url}/":
            wait_for(page, last, "RETRACTED")
        found = axe.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_names_are_text_in_their_own_direction(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """Markup in a name is shown, not run; a name turns nothing around it."""
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    open_ticker(page, containers)
    ids = post_strange_names(containers, http)
    for each in ids:
        wait_for(page, each)
    shown = [page.locator(f'.entry[data-id="{each}"] h3') for each in ids]
    for heading, player in zip(shown, (MARKUP, ARABIC, LONG), strict=False):
        assert heading.locator("bdi").first.text_content() == player
    for heading in shown:
        assert HEBREW in heading.locator("bdi").all_text_contents()
        assert heading.evaluate("node => getComputedStyle(node).direction") == "ltr"
    assert "Reversed" in shown[-1].inner_text()  # the service takes the character away
    assert page.locator("#feed script, #feed img").count() == 0
    assert page.locator("#line").get_attribute("data-state") == "live"
    assert dialogs == []


def test_everything_is_reached_by_keyboard(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """The first key leads past the matches, and what has the focus is seen."""
    goal = post(containers, http, player="Messi", homeTeam="Argentina", awayTeam="France")
    open_ticker(page, containers)
    wait_for(page, goal)
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert reached[:2] == ["Skip to the highlights", "GoalStream"]
    assert reached[2].startswith("Argentina")
    assert reached[3:6] == ["Argentina v France", "Post a goal", "API"]


def test_a_screen_reader_is_told_of_a_title_once(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """Politely, and only of what comes while the page is open."""
    wait = "text => document.querySelector('#announcer').textContent.includes(text)"
    before = post(containers, http, eventId="1", player="Messi")
    open_ticker(page, containers)
    wait_for(page, before)
    page.reload()
    wait_for(page, before)
    told = "window.told = []; new MutationObserver(() => window.told.push(announcer.textContent))"
    page.evaluate(f"{told}.observe(announcer, {{ childList: true }})")
    post(containers, http, eventId="2", player="Mbappé")
    page.wait_for_function(wait, arg="GOAL by Mbappé")
    assert page.evaluate("window.told.filter(text => text.includes('Mbappé')).length") == 1
    assert page.locator("#announcer").get_attribute("aria-live") == "polite"
    assert "Messi" not in "".join(page.evaluate("window.told"))


@pytest.mark.parametrize(("motion", "animations"), [("reduce", 0), ("no-preference", 1)])
def test_a_goal_is_felt_where_motion_is_not_unwelcome(
    containers: Containers, page: "Page", http: httpx.Client, motion: Any, animations: int
) -> None:
    """`prefers-reduced-motion` is kept to."""
    page.emulate_media(reduced_motion=motion)
    open_ticker(page, containers)
    goal = post(containers, http, player="Messi")
    wait_for(page, goal)
    running = page.locator(f'.entry[data-id="{goal}"]').evaluate("e => e.getAnimations().length")
    assert running == animations
