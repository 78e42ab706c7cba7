"""The live ticker in a real browser."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import pytest

from local.stack import ROOT
from tests.support.builders.events import MATCH, OTHER_MATCH, event_json
from tests.support.drivers.containers import Containers
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

LIMIT_MS = 30_000
SOON_MS = 1000  # from a change in the table to the page
GOALS = 6  # of the final
ATTEMPTS = 3
TEAMS = {"homeTeam": "Argentina", "awayTeam": "France"}
# When each highlight was first seen READY, by the clock that the containers have too.
WATCH = """() => {
  window.mark = 1;
  window.seen = {};
  new MutationObserver(() => {
    for (const entry of document.querySelectorAll('.entry[data-status="READY"]')) {
      window.seen[entry.dataset.id] ??= Date.now();
    }
  }).observe(document.querySelector("#feed"), { childList: true, subtree: true, attributes: true });
}"""


def open_ticker(page: "Page", containers: Containers, match: UUID | None = None) -> None:
    """Open the ticker, and wait until it follows."""
    page.goto(f"{containers.highlights_url}/" + (f"?match={match}" if match else ""))
    wait_until_live(page)


def wait_until_live(page: "Page") -> None:
    """Wait until the page says that its line is up."""
    page.locator('#line[data-state="live"]').wait_for(timeout=LIMIT_MS)


def post(containers: Containers, http: httpx.Client, **fields: Any) -> str:
    """Post an event, again if the broker is slow; return the id of its highlight."""
    event = event_json(**({"eventId": str(uuid4())} | fields))
    for _ in range(ATTEMPTS):
        answer = http.post(f"{containers.events_url}/events", json=event)
        if answer.status_code != 503:
            break
    assert answer.status_code == 202, answer.text
    return str(answer.json()["highlightId"])


def wait_for(page: "Page", highlight: str, status: str = "READY") -> None:
    """Wait until the page shows a highlight with this status."""
    entry = f'.entry[data-id="{highlight}"][data-status="{status}"]'
    page.locator(entry).wait_for(timeout=LIMIT_MS)


def listed(containers: Containers, http: httpx.Client) -> list[str]:
    """Return the titles of all highlights, as the list has them."""
    return [each["title"] for each in http.get(f"{containers.highlights_url}/highlights").json()]


def titles(page: "Page") -> list[str]:
    """Return the titles that the page shows."""
    found: list[str] = page.locator(".entry h3").all_inner_texts()
    return found


@contextmanager
def without_console_errors(page: "Page") -> Iterator[None]:
    """Check that the console shows no error during the block."""
    errors: list[str] = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    yield
    assert errors == []


def test_the_goals_of_a_final_arrive_by_themselves(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """Six of six, without a reload, each within a second of READY, and the score follows."""
    with without_console_errors(page):
        open_ticker(page, containers)
        page.locator("#empty").wait_for()
        page.evaluate(WATCH)
        replay = ("-m", "local.replay", "--match", "argentina france", "--speed", "3000")
        urls = (
            "--events-url",
            containers.events_url,
            "--highlights-url",
            containers.highlights_url,
        )
        subprocess.run((sys.executable, *replay, *urls), cwd=ROOT, check=True, capture_output=True)
        page.wait_for_function("n => Object.keys(window.seen).length == n", arg=GOALS)
        seen = page.evaluate("window.seen")
        highlights = http.get(f"{containers.highlights_url}/highlights").json()
        assert {each["id"] for each in highlights} == seen.keys()
        late = {
            each["id"]: seen[each["id"]] - milliseconds(each["updatedAt"]) for each in highlights
        }
        assert max(late.values()) < SOON_MS, late
        assert titles(page) == listed(containers, http)
        assert page.locator(".match").inner_text().split("\n")[:4] == [
            "Argentina",
            "3",
            "France",
            "3",
        ]
        assert page.evaluate("window.mark") == 1


def milliseconds(moment: str) -> float:
    """Return the milliseconds since 1970."""
    return datetime.fromisoformat(moment).timestamp() * 1000


def test_a_goal_that_is_taken_back_is_struck_out_with_why(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """In its place; the score goes back, it is announced, and it is the same after a reload."""
    open_ticker(page, containers, MATCH)
    first = post(containers, http, eventId="1", player="Messi", homeScore=1, awayScore=0, **TEAMS)
    wait_for(page, first)
    goal: dict[str, Any] = {
        "eventId": "2",
        "occurredAt": "2025-12-08T20:30:00Z",
        "homeScore": 2,
        "awayScore": 0,
    }
    goal["player"] = "Álvarez"
    second = post(containers, http, **goal, **TEAMS)
    wait_for(page, second)
    told = page.locator(f'.entry[data-id="{second}"] h3').inner_text()
    page.locator(".scoreboard b", has_text="2–0").wait_for()
    post(containers, http, revision=1, retracted=True, reason="Offside", **goal, **TEAMS)
    wait_for(page, second, "RETRACTED")
    page.locator(".scoreboard b", has_text="1–0").wait_for()
    page.locator("#announcer", has_text="Taken back: Offside").wait_for()
    assert page.locator(f'.entry[data-id="{second}"] h3 s').inner_text() == told
    for _ in range(2):
        entry = page.locator(f'.entry[data-id="{second}"]')
        assert "Álvarez" in entry.locator("h3 s").inner_text()
        assert entry.locator(".note").inner_text() == "Taken back: Offside"
        assert page.locator(".entry").first.get_attribute("data-id") == second
        page.wait_for_function("document.title == 'Argentina 1–0 France'")
        page.reload()
        wait_until_live(page)


def test_what_was_taken_back_is_shown_as_far_back_as_what_stands(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """A page that is opened has the 50 latest highlights, and nothing older that is struck out."""
    old = {"eventId": "old", "occurredAt": "2025-12-01T20:16:00Z", "player": "Messi"}
    first = post(containers, http, **old)
    post(containers, http, revision=1, retracted=True, **old)
    open_ticker(page, containers)
    wait_for(page, first, "RETRACTED")
    goals = [event_json(eventId=str(n), minute=n) for n in range(50)]
    assert http.post(f"{containers.events_url}/events/batch", json=goals).status_code == 202
    page.locator('.entry[data-status="READY"]').nth(49).wait_for()
    page.reload()
    wait_until_live(page)
    assert page.locator(".entry").count() == 50
    assert page.locator('.entry[data-status="RETRACTED"]').count() == 0


def test_a_correction_changes_a_highlight_in_its_place(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """And says that it was corrected."""
    open_ticker(page, containers)
    first = post(containers, http, eventId="1", player="Messi")
    post(containers, http, eventId="2", player="Mbappé")
    wait_for(page, first)
    page.locator(".entry").nth(1).wait_for()
    post(containers, http, eventId="1", revision=1, player="Álvarez")
    page.locator(f'.entry[data-id="{first}"] h3', has_text="Álvarez").wait_for()
    page.locator(f'.entry[data-id="{first}"] .corrected').wait_for()
    assert page.locator(".entry").count() == 2


def test_a_text_says_in_which_language_it_is(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """For those who have it read aloud; what has no text in it is in the page's own language."""
    translated, other = (post(containers, http, matchId=str(MATCH)) for _ in range(2))

    def in_german(route: "Route") -> None:
        answer = route.fetch()
        highlights = answer.json()
        for each in highlights:
            each["texts"] = {"de": {}} if each["id"] == translated else None
        headers = {**answer.headers, "content-language": "de"}
        route.fulfill(response=answer, json=highlights, headers=headers)

    wait_for_text(containers, http, translated)
    wait_for_text(containers, http, other)
    page.route(re.compile(r"/highlights\?"), in_german)
    open_ticker(page, containers, MATCH)
    for name in ("h3", ".summary"):
        texts = {id_: page.locator(f'[data-id="{id_}"] {name}') for id_ in (translated, other)}
        assert texts[translated].get_attribute("lang") == "de"
        assert texts[other].get_attribute("lang") is None


def wait_for_text(containers: Containers, http: httpx.Client, highlight: str) -> None:
    """Wait until a highlight is READY."""
    url = f"{containers.highlights_url}/highlights/{highlight}"
    eventually(lambda: http.get(url).json().get("status") == "READY")


def test_an_address_shows_one_match(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """From its card; the goals of others do not appear in it."""
    ours = post(containers, http, player="Messi", homeScore=1, awayScore=0, **TEAMS)
    open_ticker(page, containers)
    wait_for(page, ours)
    page.locator(".match", has_text="Argentina").click()
    page.wait_for_url(f"**/?match={MATCH}")
    wait_until_live(page)
    post(containers, http, matchId=str(OTHER_MATCH), player="Kane")
    late = post(containers, http, eventId="late", player="Mbappé")
    wait_for(page, late)
    assert page.locator(".entry").count() == 2
    page.get_by_role("link", name="All matches").click()
    page.locator(".entry").nth(2).wait_for()


def test_a_match_that_is_none_is_refused_in_words(containers: Containers, page: "Page") -> None:
    """And the page does not ask again."""
    page.goto(f"{containers.highlights_url}/?match=final")
    page.locator('#line[data-state="refused"]', has_text="This address names no match").wait_for()
    page.locator("#empty", has_text="UUID").wait_for()


@pytest.mark.parametrize("service", ["stream-highlights", "gateway"])
def test_a_line_that_is_cut_is_said_and_comes_back_by_itself(
    containers: Containers, page: "Page", http: httpx.Client, service: str
) -> None:
    """The page then shows what it has missed."""
    open_ticker(page, containers)
    page.evaluate("window.mark = 1")
    containers.docker("kill", containers.id(service))
    page.locator('#line[data-state="down"]').wait_for()
    assert page.locator("#line-text").inner_text().startswith("The line is down since ")
    if service == "stream-highlights":
        wait_for(page, post(containers, http, eventId="1", player="Messi"))  # by the change feed
    containers.compose("start", service)
    wait_until_live(page)
    wait_for(page, post(containers, http, eventId="2", player="Mbappé"))
    assert sorted(titles(page)) == sorted(listed(containers, http))
    assert page.evaluate("window.mark") == 1


def test_a_place_that_is_no_longer_known_makes_the_page_read_all_anew(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """As after a restore of the database; once, not for ever."""
    asked: list[str] = []
    missed: list[str] = []

    def make_old(route: Any) -> None:
        url = route.request.url
        if not asked:
            missed.append(post(containers, http, player="Messi"))
            eventually(lambda: any(listed(containers, http)))  # with a title: it is READY
            url = re.sub(r"lastEventId=\w+-", "lastEventId=00000000-", url)
        asked.append(url)
        route.continue_(url=url)

    page.route("**/highlights/stream?*", make_old)
    open_ticker(page, containers)
    wait_for(page, missed[0])
    assert len(asked) == 2
    assert asked[0] != asked[1]


def test_a_page_that_nobody_sees_gives_its_connection_back(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """A browser has six to a server; the page goes on where it was once it is seen again."""
    page.clock.install()
    open_ticker(page, containers)
    hide = "Object.defineProperty(document, 'hidden', { value: %s, configurable: true })"
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(f"{hide % 'true'}; {tell}")
    # Soon, or it is the silence of the line that ends it.
    with page.expect_event("requestfailed", lambda lost: "/stream" in lost.url, timeout=SOON_MS):
        page.clock.fast_forward(31_000)
    goal = post(containers, http, player="Messi")
    assert page.locator(".entry").count() == 0
    page.evaluate(f"{hide % 'false'}; {tell}")
    wait_for(page, goal)
    assert page.locator("#line").get_attribute("data-state") == "live"


def test_where_there_is_no_stream_the_change_feed_is_polled(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """As on AWS Lambda behind an HTTP API."""
    page.route("**/highlights/stream?*", lambda route: route.fulfill(status=404))
    page.goto(f"{containers.highlights_url}/")
    page.locator('#line[data-state="polling"]').wait_for()
    wait_for(page, post(containers, http, player="Messi"))


def test_a_key_is_asked_for_where_one_is_needed(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """It is sent with each request, also after a reload; a wrong one is said to be wrong."""

    def guard(route: Any) -> None:
        if route.request.headers.get("x-api-key") == "right":
            route.continue_()
        else:
            route.fulfill(status=401, json={"detail": "A valid API key is needed."})

    page.route(re.compile(r"/(highlights|matches)[/?]"), guard)
    page.goto(f"{containers.highlights_url}/")
    for key in ("wrong", "right"):
        page.get_by_label("This ticker needs an API key").fill(key)
        page.keyboard.press("Enter")
        if key == "wrong":
            page.get_by_text("This key is not valid.").wait_for()
    wait_until_live(page)
    wait_for(page, post(containers, http, player="Messi"))
    page.reload()
    wait_until_live(page)


def test_what_one_reads_stays_where_it_is(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """While one reads further down, a new highlight waits behind a button."""
    goals = [
        event_json(eventId=str(n), player=f"Player {n}", minute=n, description="Text. " * 30)
        for n in range(12)
    ]
    assert http.post(f"{containers.events_url}/events/batch", json=goals).status_code == 202
    open_ticker(page, containers)
    page.locator('.entry[data-status="READY"]').nth(11).wait_for()
    page.evaluate("scrollTo(0, 700)")
    page.wait_for_function("scrollY === 700")
    before = page.locator(".entry").nth(8).bounding_box()
    late = post(containers, http, eventId="late", player="Mbappé")
    page.get_by_role("button", name="1 new").wait_for()
    assert page.locator(".entry").nth(8).bounding_box() == before
    page.get_by_role("button", name="1 new").click()
    wait_for(page, late)
    page.wait_for_function("scrollY === 0")
    assert page.locator("#newer").is_hidden()


def test_a_page_that_is_left_open_keeps_a_limited_number(
    containers: Containers, page: "Page", http: httpx.Client
) -> None:
    """The newest 200."""
    open_ticker(page, containers)
    goals = [event_json(eventId=str(n), minute=n % 90) for n in range(250)]
    assert http.post(f"{containers.events_url}/events/batch", json=goals).status_code == 202
    # Highlights that one batch brings come into the table in the order of their ids.
    eventually(lambda: sum(containers.statuses().values()) == len(goals))
    late = post(containers, http, player="Mbappé")
    wait_for(page, late)
    assert page.locator(".entry").count() == 200
    assert page.locator(".entry").first.get_attribute("data-id") == late
