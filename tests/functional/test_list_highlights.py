"""GET /highlights."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_from_bytes, urljoin, urlsplit
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from functions.consume_goal.revisions import revision_of
from functions.list_highlights.app import build_app
from functions.list_highlights.pages import PageReader
from functions.list_highlights.query import PARAMETERS
from functions.shared.contract.highlight import SHOWN_STATUSES, Status
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.highlights import Listing
from infra.openapi.response_models import Highlight, ProblemDetails
from tests.support.builders.events import MATCH, NAMES, OTHER_MATCH, identified
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeCache, FakeStore


class ListHighlights:
    """The function with its services, and a client."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.cache = FakeCache()
        pages = PageReader(self.store, self.cache, self.store)
        self.reader = Client(build_app(lambda: pages))

    def goal(self, event_id: str = "goal-1", **fields: Any) -> UUID:
        """Record a goal, or a correction of one; return its id."""
        event = identified(eventId=event_id, **fields)
        recorded = revision_of(event, ReceivedRecord(None, None, None), RULES)

        async def record() -> None:
            async with self.cache.change({event.match_id}):
                await self.store.record([recorded])

        asyncio.run(record())
        return UUID(recorded.id)

    def goals(self, count: int) -> list[UUID]:
        """Record goals, one a minute; return their ids, newest first."""
        times = [f"2025-12-08T20:{minute:02}:00Z" for minute in range(count)]
        ids = [self.goal(f"{at}", occurredAt=time) for at, time in enumerate(times)]
        return ids[::-1]

    def get(self, query: str = "", **headers: str) -> httpx.Response:
        """Return the response to a query."""
        return self.reader.get(f"/highlights?{query}", headers=headers)

    def ids(self, query: str = "") -> list[UUID]:
        """Return the ids that are listed."""
        response = self.get(query)
        assert response.status_code == 200, response.text
        return [UUID(highlight["id"]) for highlight in response.json()]


def next_query(response: httpx.Response) -> str | None:
    """Return the query of a response's Link."""
    if "next" not in response.links:
        return None
    behind_a_proxy = "https://example.org/api/highlights"
    target = urlsplit(urljoin(behind_a_proxy, response.links["next"]["url"]))
    assert target.path == "/api/highlights"
    return target.query


@pytest.fixture(name="list_highlights")
def _list_highlights() -> ListHighlights:
    """The function without any highlight."""
    return ListHighlights()


def test_a_list_is_a_json_array(list_highlights: ListHighlights) -> None:
    """Of highlights with every field of the contract; an unknown value is null."""
    assert list_highlights.get().json() == []
    list_highlights.goal(player="Messi", minute=36)
    response = list_highlights.get()
    assert response.headers["content-type"] == "application/json"
    (highlight,) = response.json()
    assert set(highlight) == {field.alias for field in Highlight.model_fields.values()}
    Highlight.model_validate(highlight)
    assert (highlight["player"], highlight["team"], highlight["title"]) == ("Messi", None, None)


def test_the_newest_highlight_is_first(list_highlights: ListHighlights) -> None:
    """By the time of the event, and then by id."""
    late = list_highlights.goal("1", occurredAt="2025-12-08T20:17:00Z")
    early = list_highlights.goal("2", occurredAt="2025-12-08T20:15:00Z")
    same = sorted([list_highlights.goal("3"), list_highlights.goal("4")], reverse=True)
    assert list_highlights.ids() == [late, *same, early]


def test_each_filter_selects_the_highlights_that_it_names(list_highlights: ListHighlights) -> None:
    """Alone, and together."""
    messi = list_highlights.goal("1", team="Argentina", eventType="goal")
    mbappé = list_highlights.goal("2", team="France", eventType="penalty_goal")
    other = list_highlights.goal("3", team="France", matchId=str(OTHER_MATCH))
    gone = list_highlights.goal("4", retracted=True)
    assert set(list_highlights.ids(f"matchId={MATCH}")) == {messi, mbappé}
    assert set(list_highlights.ids("team=FRANCE")) == {mbappé, other}
    assert set(list_highlights.ids("eventType=Penalty_Goal")) == {mbappé}
    assert set(list_highlights.ids("eventType=penaltyGoal")) == {mbappé}
    assert set(list_highlights.ids("status=retracted")) == {gone}
    assert set(list_highlights.ids("status=pending_ai")) == {messi, mbappé, other}
    assert list_highlights.ids(f"matchId={MATCH}&team=france&status=PENDING_AI") == [mbappé]
    assert list_highlights.ids("team=Brazil") == []


def test_retracted_highlights_are_left_out_unless_their_status_is_requested(
    list_highlights: ListHighlights,
) -> None:
    """With that status they are listed."""
    shown, gone = list_highlights.goal("1"), list_highlights.goal("2", retracted=True)
    assert list_highlights.ids() == [shown]
    assert list_highlights.ids(f"matchId={MATCH}") == [shown]
    assert list_highlights.ids(f"matchId={MATCH}&status=RETRACTED") == [gone]


def test_highlights_that_changed_since_a_time_are_listed(list_highlights: ListHighlights) -> None:
    """At that time or after it."""
    list_highlights.goal("1")
    list_highlights.store.now = 30.0
    late = list_highlights.goal("2")
    assert list_highlights.ids("updatedSince=2026-01-01T00:00:30Z") == [late]
    assert list_highlights.ids("updatedSince=2026-01-01T01:00:30%2B01:00") == [late]
    assert list_highlights.ids("updatedSince=2026-01-01T00:00:31Z") == []


@pytest.mark.parametrize("name", NAMES)
def test_a_team_of_any_script_is_found(name: str, list_highlights: ListHighlights) -> None:
    """By its name in the URL; the name is shown as it is."""
    list_highlights.goal(team=name)
    response = list_highlights.reader.request("GET", "/highlights", params={"team": name})
    assert [highlight["team"] for highlight in response.json()] == [name]


def test_pages_have_a_number_and_a_size(list_highlights: ListHighlights) -> None:
    """Numbers out of range are clamped."""
    newest = list_highlights.goals(7)
    assert list_highlights.ids("pageSize=3") == newest[:3]
    assert list_highlights.ids("page=3&pageSize=3") == newest[6:]
    assert list_highlights.ids("page=4&pageSize=3") == []
    assert list_highlights.ids("page=0&pageSize=3") == newest[:3]
    assert list_highlights.ids("pageSize=0") == newest[:1]
    assert list_highlights.ids("pageSize=1000") == newest


def test_a_page_has_fifty_highlights_and_at_most_a_hundred(list_highlights: ListHighlights) -> None:
    """The rest is on the next page."""
    for hour in range(2):
        for minute in range(55):
            list_highlights.goal(
                f"{hour}.{minute}", occurredAt=f"2025-12-08T{hour:02}:{minute:02}:00Z"
            )
    assert len(list_highlights.ids()) == 50
    assert len(list_highlights.ids("pageSize=101")) == 100
    assert len(list_highlights.ids("page=3")) == 10


def test_a_link_leads_to_the_next_page_until_the_last(list_highlights: ListHighlights) -> None:
    """Every highlight is listed once, in order, with the filters kept."""
    newest = list_highlights.goals(7)
    list_highlights.goal("other", matchId=str(OTHER_MATCH))
    query: str | None = f"matchId={MATCH}&pageSize=3"
    met: list[UUID] = []
    sizes = []
    while query is not None:
        response = list_highlights.get(query)
        met += [UUID(highlight["id"]) for highlight in response.json()]
        sizes.append(len(response.json()))
        query = next_query(response)
    assert met == newest
    assert sizes == [3, 3, 1]


@pytest.mark.parametrize("size", [1, 2, 6])
def test_a_last_page_that_is_full_has_no_link(size: int, list_highlights: ListHighlights) -> None:
    """No page follows it."""
    list_highlights.goals(6)
    assert next_query(list_highlights.get(f"page={6 // size}&pageSize={size}")) is None


def test_following_links_skips_no_highlight(list_highlights: ListHighlights) -> None:
    """A goal that is scored meanwhile shifts no page."""
    newest = list_highlights.goals(4)
    first = list_highlights.get("pageSize=2")
    list_highlights.goal("late", occurredAt="2025-12-08T21:00:00Z")
    query = next_query(first)
    assert query
    assert list_highlights.ids(query) == newest[2:]


def test_a_matching_etag_is_a_304(list_highlights: ListHighlights) -> None:
    """Until a highlight changes; then it is a 200."""
    list_highlights.goal()
    first = list_highlights.get()
    tag = first.headers["etag"]
    again = list_highlights.get(**{"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    list_highlights.goal("2")
    changed = list_highlights.get(**{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', '"x",W/{} , "y"', "*"])
def test_an_etag_matches_in_every_form_of_the_header(
    form: str, list_highlights: ListHighlights
) -> None:
    """Weak, one of several, or any."""
    tag = list_highlights.get().headers["etag"]
    assert list_highlights.get(**{"If-None-Match": form.format(tag)}).status_code == 304


@pytest.mark.parametrize("etag", ['"x"', "", "x", 'W/"x"', '"*"'])
def test_another_etag_does_not_match(etag: str, list_highlights: ListHighlights) -> None:
    """The body is sent."""
    assert list_highlights.get(**{"If-None-Match": etag}).status_code == 200


def test_a_304_has_the_link_of_its_page(list_highlights: ListHighlights) -> None:
    """Even of pages that differ only in their link."""
    list_highlights.goals(3)
    first = list_highlights.get("pageSize=2")
    again = list_highlights.get("pageSize=2", **{"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["link"] == first.headers["link"]


def test_a_head_has_the_headers_of_the_get(list_highlights: ListHighlights) -> None:
    """And no body."""
    list_highlights.goals(3)
    got = list_highlights.get("pageSize=2")
    head = list_highlights.reader.request("HEAD", "/highlights?pageSize=2")
    assert head.status_code == 200
    for name in ("etag", "link", "content-type", "content-length"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("query", [f"matchId={MATCH}", f"matchId={MATCH}&status=READY"])
def test_the_first_page_of_a_match_is_read_once(
    query: str, list_highlights: ListHighlights
) -> None:
    """The next reader gets it from the cache, with its link and entity tag."""
    list_highlights.goals(3)
    first = list_highlights.get(f"{query}&pageSize=2")
    asked = list_highlights.store.statements
    again = list_highlights.get(f"{query}&pageSize=2")
    assert list_highlights.store.statements == asked
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers.get("link") == first.headers.get("link")


@pytest.mark.parametrize(
    "query", ["", "status=READY", f"matchId={MATCH}&page=2", f"matchId={MATCH}&team=x",
              f"matchId={MATCH}&status=PENDING_AI"],
)  # fmt: skip
def test_another_page_is_read_each_time(query: str, list_highlights: ListHighlights) -> None:
    """It is not cached."""
    for reads in (1, 2):
        list_highlights.get(query)
        assert list_highlights.store.statements == reads
    assert list_highlights.cache.pages == {}


def test_a_list_tells_whether_it_came_from_the_cache(list_highlights: ListHighlights) -> None:
    """In `X-Cache`, with a 304 too; and the function counts both."""

    def counts() -> list[int]:
        lines = list_highlights.reader.get("/metrics").text.splitlines()
        return [
            int(line.split()[1])
            for kind in ("hits", "misses")
            for line in lines
            if line.startswith(f"list_highlights_cache_{kind}_total ")
        ]

    hits, misses = counts()
    query = f"matchId={MATCH}"
    first = list_highlights.get(query)
    again = list_highlights.get(query)
    known = list_highlights.get(query, **{"If-None-Match": first.headers["etag"]})
    assert [each.headers["x-cache"] for each in (first, again, known)] == ["miss", "hit", "hit"]
    assert [each.status_code for each in (first, again, known)] == [200, 200, 304]
    list_highlights.cache.away = True
    assert list_highlights.get(query).headers["x-cache"] == "miss"
    assert counts() == [hits + 2, misses + 2]


def test_without_a_cache_no_list_tells_of_one(list_highlights: ListHighlights) -> None:
    """Nor does a list that is never cached."""
    assert "x-cache" not in list_highlights.get().headers
    pages = PageReader(list_highlights.store, None, list_highlights.store)
    reader = Client(build_app(lambda: pages))
    listed = reader.get(f"/highlights?matchId={MATCH}")
    assert (listed.status_code, listed.json()) == (200, [])
    assert "x-cache" not in listed.headers


def test_a_cached_page_is_not_shown_after_a_change(list_highlights: ListHighlights) -> None:
    """A reader who has seen the change sees it in the list too."""
    list_highlights.goal("1")
    assert len(list_highlights.ids(f"matchId={MATCH}")) == 1
    list_highlights.goal("2")
    assert len(list_highlights.ids(f"matchId={MATCH}")) == 2
    list_highlights.goal("2", retracted=True, revision=1)
    assert len(list_highlights.ids(f"matchId={MATCH}")) == 1


def test_a_page_that_was_read_before_a_change_is_not_cached_after_it() -> None:
    """The late fill is refused."""

    class SlowStore(FakeStore):
        """A store that changes between the read of a page and its return."""

        list_highlights: ListHighlights

        async def list(self, filters: Mapping[str, Any], **page: Any) -> Listing:
            read = await super().list(filters, **page)
            async with self.list_highlights.cache.change({MATCH}):
                event = identified(eventId=f"{len(self.rows)}")
                await self.record([revision_of(event, ReceivedRecord(None, None, None), RULES)])
            return read

    list_highlights = ListHighlights()
    list_highlights.store = SlowStore()
    list_highlights.store.list_highlights = list_highlights
    pages = PageReader(list_highlights.store, list_highlights.cache, list_highlights.store)
    list_highlights.reader = Client(build_app(lambda: pages))
    sizes = [len(list_highlights.ids(f"matchId={MATCH}")) for _ in range(3)]
    assert sizes == [0, 1, 2]
    assert list_highlights.cache.pages == {}


def test_without_the_cache_the_responses_are_the_same(list_highlights: ListHighlights) -> None:
    """The cache is best effort."""
    list_highlights.goals(3)
    cached = list_highlights.get(f"matchId={MATCH}")
    list_highlights.cache.away = True
    fresh = list_highlights.get(f"matchId={MATCH}")
    assert (fresh.content, fresh.headers["etag"]) == (cached.content, cached.headers["etag"])


@pytest.mark.parametrize("kept", [b"garbage", b"", b"\n", b"\xff\xff\n\xff\n[]"])
def test_invalid_content_of_the_cache_is_not_shown(
    kept: bytes, list_highlights: ListHighlights
) -> None:
    """The page is read from the database."""
    list_highlights.goal()
    list_highlights.get(f"matchId={MATCH}")
    list_highlights.cache.pages = dict.fromkeys(list_highlights.cache.pages, kept)
    assert len(list_highlights.ids(f"matchId={MATCH}")) == 1


def test_a_cached_page_needs_no_database(list_highlights: ListHighlights) -> None:
    """A page that is not cached is a 503, with the time to retry."""
    list_highlights.get(f"matchId={MATCH}")
    list_highlights.store.away = True
    cached = list_highlights.get(f"matchId={MATCH}")
    assert cached.status_code == 200
    known = {"If-None-Match": cached.headers["etag"]}
    assert list_highlights.get(f"matchId={MATCH}", **known).status_code == 304
    response = list_highlights.get()
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["content-type"] == "application/problem+json"


def test_concurrent_readers_share_one_read(list_highlights: ListHighlights) -> None:
    """A hundred requests for the same page are one statement."""

    async def ask() -> list[httpx.Response]:
        return await asyncio.gather(
            *(list_highlights.reader.send("GET", "/highlights?team=x") for _ in range(100))
        )

    responses = asyncio.run(ask())
    assert {response.status_code for response in responses} == {200}
    assert list_highlights.store.statements <= 2


def test_every_refused_parameter_is_named(list_highlights: ListHighlights) -> None:
    """An unknown one has a hint."""
    response = list_highlights.get("match_id=1&status=DONE&page=two&updatedSince=today")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    errors = ProblemDetails.model_validate(response.json()).errors
    assert errors
    assert set(errors) == {"match_id", "status", "page", "updatedSince"}
    assert errors["match_id"] == ["is unknown; did you mean matchId?"]
    assert list_highlights.store.statements == 0


def status_of(query_string: bytes) -> int:
    """Return the status of the response to a raw query string."""
    pages = PageReader(FakeStore(), FakeCache(), FakeStore())
    scope = {"type": "http", "method": "GET", "path": "/highlights", "headers": []}
    request = Request({**scope, "query_string": query_string})

    async def response() -> int:
        return (await build_app(lambda: pages)(request)).status_code

    return asyncio.run(response())


@given(st.binary(max_size=100), st.sampled_from(PARAMETERS))
def test_no_encoded_query_is_a_5xx(value: bytes, name: str) -> None:
    """Whatever bytes are encoded in it."""
    assert status_of(quote_from_bytes(value).encode()) in (200, 400)
    assert status_of(f"{name}={quote_from_bytes(value)}".encode()) in (200, 400)


@pytest.mark.parametrize("query", [b"team=\xff", b"\xe4\xb8", b"\x80=\x80", b"team=a#b", b"\0"])
def test_no_raw_query_is_a_5xx(query: bytes) -> None:
    """Some servers pass on bytes that are not encoded."""
    assert status_of(query) in (200, 400)


def test_another_method_or_path_is_refused(list_highlights: ListHighlights) -> None:
    """405 with the allowed methods, or 404."""
    refused = list_highlights.reader.post("/highlights")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    for path in ("/", "/highlight", "/highlights/", "/events"):
        assert list_highlights.reader.get(path).status_code == 404
    assert list_highlights.reader.get("/health").json() == {"status": "ok"}


def test_each_status_can_be_requested(list_highlights: ListHighlights) -> None:
    """No other status is in the response."""
    list_highlights.goal("1")
    list_highlights.goal("2", retracted=True)
    found = {status: len(list_highlights.ids(f"status={status}")) for status in SHOWN_STATUSES}
    assert found == dict.fromkeys(SHOWN_STATUSES, 0) | {Status.PENDING_AI: 1, Status.RETRACTED: 1}
    assert Status.READY in found


def test_a_highlight_is_shown_as_the_store_returns_it(list_highlights: ListHighlights) -> None:
    """Times in UTC, with a Z."""
    list_highlights.goal(occurredAt="2025-12-08T21:16:00+01:00")
    (highlight,) = json.loads(list_highlights.get().content)
    assert highlight["occurredAt"] == "2025-12-08T20:16:00Z"


def test_a_team_is_found_by_its_name_and_by_its_side(list_highlights: ListHighlights) -> None:
    """Whichever of the two the event has, in every form of Unicode."""
    sides = {"homeTeam": "S\u00e3o Paulo", "awayTeam": "Grêmio"}
    expected = [
        list_highlights.goal(str(at), team=team, **sides)
        for at, team in enumerate(["home", "Sa\u0303o Paulo", "SÃO PAULO"])
    ]
    for asked in ("home", "Home", "S%C3%A3o+Paulo", "sa%CC%83o+paulo"):
        assert set(list_highlights.ids(f"team={asked}")) == set(expected)
    assert list_highlights.ids("team=away") == list_highlights.ids("team=Gremio") == []


def test_an_event_that_makes_no_highlight_is_never_listed(list_highlights: ListHighlights) -> None:
    """Not even by status, although a later revision of it is recorded."""
    list_highlights.goal(eventType="yellow_card", revision=1)
    assert (
        list_highlights.ids()
        == list_highlights.ids("status=retracted")
        == list_highlights.ids(f"matchId={MATCH}")
        == []
    )
