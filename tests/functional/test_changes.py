"""The change feed and the list of matches, over HTTP."""

from urllib.parse import urljoin, urlsplit
from uuid import UUID

import httpx
import pytest

from tests.functional.test_list_highlights import ListHighlights
from tests.support.builders.events import MATCH, OTHER_MATCH

BEHIND_A_PROXY = "https://example.org/api/"


@pytest.fixture(name="function")
def _function() -> ListHighlights:
    """The function without any highlight."""
    return ListHighlights()


def target(response: httpx.Response, rel: str, path: str = "highlights") -> str:
    """Return the query of a link to the change feed, which must keep a proxy's prefix."""
    url = urljoin(BEHIND_A_PROXY + path, response.links[rel]["url"])
    assert urlsplit(url)._replace(query="").geturl() == f"{BEHIND_A_PROXY}highlights"
    return urlsplit(url).query


def ids(response: httpx.Response) -> list[UUID]:
    """Return the ids in the order of a response."""
    assert response.status_code == 200, response.text
    return [UUID(each["id"]) for each in response.json()]


def followed(function: ListHighlights, query: str) -> list[UUID]:
    """Return the ids of all changes, following `next` to the end."""
    seen = []
    while True:
        response = function.get(query)
        seen += ids(response)
        if "next" not in response.links:
            return seen
        query = target(response, "next")


def test_without_a_cursor_the_feed_begins_now(function: ListHighlights) -> None:
    """What is there already is not told; what changes later is."""
    function.goal("before")
    empty = function.get("changedSince=")
    assert ids(empty) == []
    after = function.goal("after")
    assert ids(function.get(target(empty, "changes"))) == [after]


def test_from_the_beginning_each_highlight_is_told_once_as_it_is_now(
    function: ListHighlights,
) -> None:
    """The oldest change first, retracted ones too."""
    goals = [function.goal(f"{number}", player="Lionel") for number in range(4)]
    function.goal("1", player="Messi", revision=1)
    function.goal("0", retracted=True, revision=1)
    response = function.get("changedSince=0")
    assert ids(response) == [goals[2], goals[3], goals[1], goals[0]]
    assert [each["player"] for each in response.json()][2] == "Messi"
    assert response.json()[3]["status"] == "RETRACTED"
    assert response.headers["cache-control"] == "no-store"


def test_an_empty_page_leads_on_too(function: ListHighlights) -> None:
    """So that a client asks the same way for ever."""
    query = "changedSince=0"
    for _ in range(3):
        response = function.get(query)
        assert ids(response) == []
        query = target(response, "changes")
        assert "next" not in response.links
    later = function.goal()
    assert ids(function.get(query)) == [later]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_pages_of_any_size_tell_the_same(size: int, function: ListHighlights) -> None:
    """Nothing is missed or told twice between them."""
    goals = [function.goal(f"{number}") for number in range(5)]
    assert followed(function, f"changedSince=0&pageSize={size}") == goals


def test_the_filters_hold_in_the_feed_and_in_its_links(function: ListHighlights) -> None:
    """By match, team and type."""
    function.goal("1", team="Argentina")
    mbappé = function.goal("2", team="France", eventType="penalty_goal")
    other = function.goal("3", team="France", matchId=str(OTHER_MATCH))
    assert followed(function, "changedSince=0&team=FRANCE&pageSize=1") == [mbappé, other]
    assert followed(function, "changedSince=0&eventType=Penalty%20Goal") == [mbappé]
    response = function.get(f"changedSince=0&matchId={OTHER_MATCH}&team=france")
    assert ids(response) == [other]
    function.goal("1", revision=1, player="Messi")
    function.goal("3", revision=1, player="Mbappé", team="France", matchId=str(OTHER_MATCH))
    assert ids(function.get(target(response, "changes"))) == [other]


@pytest.mark.parametrize("path", ["highlights", "matches"])
def test_a_page_leads_to_what_changes_after_it(function: ListHighlights, path: str) -> None:
    """Also when it is empty, and when it was cached; with the filters of the feed alone."""
    for query in ("", f"matchId={MATCH}", f"matchId={MATCH}"):
        page = function.reader.get(f"/{path}?{query}")
        feed = target(page, "changes", path)
        assert ids(function.get(feed)) == []
        changed = function.goal(f"{query}{len(function.store.rows)}")
        assert ids(function.get(feed)) == [changed]
    if path == "highlights":
        page = function.get("status=READY&page=1&pageSize=7&team=home")
        assert "status" not in target(page, "changes")
        assert "team=home&pageSize=7&" in target(page, "changes") + "&"


@pytest.mark.parametrize(
    "query", ["status=READY", "page=2", "cursor=abc", "updatedSince=2026-01-01T00:00:00Z"]
)
def test_a_parameter_that_the_feed_does_not_have_is_refused(
    function: ListHighlights, query: str
) -> None:
    """By name, rather than ignored."""
    response = function.get(f"changedSince=0&{query}")
    assert response.status_code == 400
    (name,) = response.json()["errors"]
    assert response.json()["errors"][name] == ["does not go with changedSince"]


@pytest.mark.parametrize("cursor", ["1", "yesterday", "2026-01-01T00:00:00Z", "0123abcd-7-8"])
def test_a_cursor_that_was_made_up_is_refused(function: ListHighlights, cursor: str) -> None:
    """With where cursors come from."""
    response = function.get(f"changedSince={cursor}")
    assert response.status_code == 400
    assert "Link header" in response.json()["errors"]["changedSince"][0]


def test_a_cursor_of_another_database_is_gone(function: ListHighlights) -> None:
    """The answer says where to begin again."""
    function.goal()
    old = target(function.get("changedSince="), "changes")
    function.store.epoch = "00000002"
    response = function.get(old)
    assert response.status_code == 410
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["begin"] == "?changedSince=0"
    assert len(ids(function.get(target(response, "changes")))) == 1


def test_the_feed_of_a_database_that_is_away_says_so(function: ListHighlights) -> None:
    """With 503, like all reads."""
    function.store.away = True
    assert function.get("changedSince=0").status_code == 503
    assert function.reader.get("/matches").status_code == 503


def test_matches_are_listed_latest_first(function: ListHighlights) -> None:
    """With the teams, the score, the number of highlights and the time of the last change."""
    teams = {"homeTeam": "Argentina", "awayTeam": "France"}
    function.goal("1", occurredAt="2022-12-18T15:23:00Z", homeScore=1, awayScore=0, **teams)
    function.store.now = 7.0
    function.goal("2", occurredAt="2022-12-18T15:36:00Z", homeScore=2, awayScore=0, **teams)
    function.goal("3", occurredAt="2022-12-18T15:30:00Z", matchId=str(OTHER_MATCH))
    response = function.reader.get("/matches")
    assert response.json() == [
        {
            "matchId": str(MATCH), **teams, "homeScore": 2, "awayScore": 0, "highlights": 2,
            "occurredAt": "2022-12-18T15:36:00Z", "updatedAt": "2026-01-01T00:00:07.000000Z",
        },
        {
            "matchId": str(OTHER_MATCH), "homeTeam": None, "awayTeam": None, "homeScore": None,
            "awayScore": None, "highlights": 1, "occurredAt": "2022-12-18T15:30:00Z",
            "updatedAt": "2026-01-01T00:00:07.000000Z",
        },
    ]  # fmt: skip
    again = {"If-None-Match": response.headers["etag"]}
    assert function.reader.get("/matches", headers=again).status_code == 304


def test_a_retracted_goal_does_not_count(function: ListHighlights) -> None:
    """Its match is still listed, with the score after the latest goal that stands."""
    function.goal("1", occurredAt="2022-12-18T15:23:00Z", homeScore=1, awayScore=0)
    function.goal("2", occurredAt="2022-12-18T15:36:00Z", homeScore=2, awayScore=0)
    function.goal("2", revision=1, retracted=True, homeScore=2, awayScore=0,
                  occurredAt="2022-12-18T15:36:00Z")  # fmt: skip
    (match,) = function.reader.get("/matches").json()
    assert (match["homeScore"], match["highlights"]) == (1, 1)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_pages_of_matches_tell_all(function: ListHighlights, size: int) -> None:
    """By the cursor of the link; one match can be asked for alone."""
    matches = [UUID(int=number) for number in range(1, 6)]
    for number, match_id in enumerate(matches):
        function.goal(matchId=str(match_id), occurredAt=f"2022-12-18T15:0{number}:00Z")
    seen, query = [], f"pageSize={size}"
    while query:
        response = function.reader.get(f"/matches?{query}")
        seen += [UUID(each["matchId"]) for each in response.json()]
        link = response.links.get("next")
        query = urlsplit(link["url"]).query if link else ""
    assert seen == matches[::-1]
    (one,) = function.reader.get(f"/matches?matchId={matches[2]}").json()
    assert one["matchId"] == str(matches[2])


def test_an_unknown_parameter_of_matches_is_refused(function: ListHighlights) -> None:
    """By name, with a hint."""
    response = function.reader.get("/matches?match_id=1")
    assert response.json()["errors"] == {"match_id": ["is unknown; did you mean matchId?"]}
