"""GET /highlights/stream."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message

from functions.shared.http.auth import build_guard
from functions.shared.http.languages import ENGLISH, Languages
from functions.shared.http.settings import AccessSettings
from functions.stream_highlights.app import build_app
from functions.stream_highlights.hub import ChangeHub
from functions.stream_highlights.settings import StreamHighlightsSettings
from tests.support.drivers.asgi import Client
from tests.support.drivers.event_stream import Follower
from tests.support.fakes.change_feed import MATCH, OTHER_MATCH, FakeChangeFeed

PATH = "/highlights/stream"
KEY = "of-sixteen-characters"
LIMIT_S = 10


class Server:
    """The function, on a change feed in memory."""

    def __init__(self, languages: Languages = ENGLISH, **settings: Any) -> None:
        self.feed = FakeChangeFeed()
        given = {"DATABASE_URL": "postgresql://x", **settings}
        self.hub = ChangeHub(self.feed, StreamHighlightsSettings.model_validate(given))
        guard = build_guard(AccessSettings.model_validate(settings))
        self.app = build_app(lambda: self.hub, guard, languages=languages)
        self.client = Client(self.app)


class Viewer:
    """A client of a stream in process; it leaves at the end of the block."""

    def __init__(self, server: Server, query: str = "", **headers: str) -> None:
        self.follower = Follower()
        self.status = 0
        self.headers: httpx.Headers = httpx.Headers()
        self._server = server
        self._left = asyncio.Event()
        self._scope = {
            "type": "http", "method": "GET", "path": PATH, "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip

    async def __aenter__(self) -> "Viewer":
        response = await self._server.app(Request(self._scope))
        self.status, self.headers = response.status_code, httpx.Headers(response.raw_headers)
        self._task = asyncio.create_task(response(self._scope, self._receive, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._left.set()
        await self._task

    async def until(self, condition: Callable[[Follower], bool]) -> None:
        """Wait until a condition holds."""
        async with asyncio.timeout(LIMIT_S):
            while not condition(self.follower):
                await asyncio.sleep(0.001)

    async def until_ready(self) -> None:
        """Wait until the stream has caught up."""
        await self.until(lambda follower: "ready" in follower.names())

    async def _receive(self) -> Message:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.follower.feed(message.get("body", b""))


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run a test's work in an event loop."""

    async def limited() -> None:
        await asyncio.wait_for(work(), LIMIT_S)

    asyncio.run(limited())


def test_a_stream_begins_now_and_tells_of_changes() -> None:
    """Not of what was there before."""

    async def work() -> None:
        server = Server()
        server.feed.change(1)
        async with Viewer(server) as viewer:
            assert viewer.status == 200
            assert viewer.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert viewer.headers["cache-control"] == "no-store"
            assert "content-length" not in viewer.headers
            await viewer.until_ready()
            place = server.feed.change(2)
            await viewer.until(lambda follower: len(follower.documents) == 1)
            [event] = [each for each in viewer.follower.events if each.name == "highlight"]
            assert (event.id, event.data["id"]) == (str(place), str(place.id))

    run(work)


def test_the_header_overrides_the_parameter() -> None:
    """A browser that comes back sends the header, to the URL that it was first given."""

    async def work() -> None:
        server = Server()
        server.feed.change(1)
        place = server.feed.change(2)
        server.feed.change(3)
        for query, headers, told in (
            ("lastEventId=0", {}, 3),
            (f"lastEventId={place}", {}, 1),
            ("lastEventId=", {}, 0),
            ("lastEventId=0", {"Last-Event-ID": str(place)}, 1),
            ("", {"Last-Event-ID": str(place)}, 1),
            ("lastEventId=0", {"Last-Event-ID": ""}, 3),
        ):
            async with Viewer(server, query, **headers) as viewer:
                await viewer.until_ready()
                assert len(viewer.follower.documents) == told, (query, headers)

    run(work)


def test_filters_choose_the_highlights() -> None:
    """Of those that are there, and of those that come."""

    async def work() -> None:
        server = Server()
        server.feed.change(1, match_id=MATCH, side="home")
        server.feed.change(2, match_id=MATCH, side="away")
        server.feed.change(3, match_id=OTHER_MATCH, side="home")
        async with Viewer(server, f"lastEventId=0&matchId={MATCH}&team=home") as viewer:
            await viewer.until_ready()
            server.feed.change(4, match_id=OTHER_MATCH, side="home")
            server.feed.change(5, match_id=MATCH, side="away")
            server.feed.change(6, match_id=MATCH, side="home")
            await viewer.until(lambda follower: len(follower.documents) == 2)
            assert {id_[-1] for id_ in viewer.follower.documents} == {"1", "6"}

    run(work)


def test_json_with_line_ends_is_one_event() -> None:
    """Metadata is kept as it was sent."""

    async def work() -> None:
        server = Server()
        async with Viewer(server) as viewer:
            await viewer.until_ready()
            server.feed.change(1, json='{"id":"1","metadata":{\n\n"x":\r\n\r1}}')
            await viewer.until(lambda follower: len(follower.documents) == 1)
            assert viewer.follower.documents["1"]["metadata"] == {"x": 1}

    run(work)


@pytest.mark.parametrize(
    ("query", "name", "why"),
    [
        ("matchId=1", "matchId", "must be a UUID"),
        ("lastEventId=now", "lastEventId", "Link header"),
        ("matchID=", "matchID", "did you mean"),
        ("status=READY", "status", "unknown"),
        ("changedSince=0", "changedSince", "unknown"),
        ("team=a&team=b", "team", "must be given once"),
    ],
)
def test_a_wrong_parameter_is_a_400(query: str, name: str, why: str) -> None:
    """With the reason, in problem details."""
    answer = Server().client.get(f"{PATH}?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    [reason] = answer.json()["errors"][name]
    assert why in reason


def test_a_wrong_last_event_id_is_a_400() -> None:
    """It is named as the header that it came in."""
    answer = Server().client.get(PATH, headers={"Last-Event-ID": "x"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["Last-Event-ID"])


def test_a_head_is_answered_without_a_stream() -> None:
    """It takes no place, and asks nothing of the database."""
    server = Server(STREAM_MAX_CLIENTS=1)
    for _ in range(2):
        answer = server.client.request("HEAD", PATH)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert "content-length" not in answer.headers
    assert server.feed.reads == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_another_method_is_a_405(method: str) -> None:
    """With the allowed ones."""
    answer = Server().client.request(method, PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_an_unavailable_database_is_a_503() -> None:
    """The place of a client that is refused so is free again."""
    server = Server(STREAM_MAX_CLIENTS=1)
    server.feed.away = True
    for query in ("", "?lastEventId=0"):
        answer = server.client.get(f"{PATH}{query}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["detail"] == "The database does not answer."


def test_keys_and_limits_are_those_of_other_reads() -> None:
    """A stream counts as one request."""

    async def work() -> None:
        server = Server(API_KEYS=KEY, RATE_LIMIT=0.001, RATE_LIMIT_BURST=1)
        assert (await server.client.send("GET", PATH)).status_code == 401
        async with Viewer(server, **{"X-Api-Key": KEY}) as viewer:
            assert viewer.status == 200
        answer = await server.client.send("GET", PATH, headers={"X-Api-Key": KEY})
        assert answer.status_code == 429

    run(work)
