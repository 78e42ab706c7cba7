"""API keys and rate limits of the three public functions."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from functions.consume_goal.revisions import revision_of
from functions.get_highlight.app import build_app as get_highlight
from functions.ingest_event.app import build_app as ingest_event
from functions.list_highlights.app import build_app as list_highlights
from functions.list_highlights.pages import PageReader
from functions.shared.http.auth import build_guard
from functions.shared.http.routing import Guard, Router
from functions.shared.http.settings import AccessSettings
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.settings.load import load
from infra.openapi.response_models import ProblemDetails
from tests.support.builders.events import MATCH, event_json, id_of, identified
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeCache, FakePublisher, FakeStore

KEY = "the-key-of-the-feed"
KEYS = {"API_KEYS": KEY}
BEARER = {"Authorization": f"Bearer {KEY}"}
LIMIT = {"RATE_LIMIT": "0.4", "RATE_LIMIT_BURST": "2"}


class Time:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def _ingest(guard: Guard | None) -> Router:
    publisher = FakePublisher()
    return ingest_event(lambda: publisher, RULES, guard=guard)


def _list(guard: Guard | None) -> Router:
    pages = PageReader(FakeStore(), FakeCache(), FakeStore())
    return list_highlights(lambda: pages, guard)


def _get(guard: Guard | None) -> Router:
    store = FakeStore()
    asyncio.run(store.record([revision_of(identified(), ReceivedRecord(None, None, None), RULES)]))
    return get_highlight(lambda: store, guard)


@dataclass(frozen=True)
class PublicFunction:
    """A public function, and a request that it accepts."""

    name: str
    make: Callable[[Guard | None], Router]
    method: str
    path: str
    status: int
    json: Any = None

    def client(self, environ: dict[str, str], time: Time | None = None) -> Client:
        """Return a client of the function with these settings."""
        return Client(self.make(self.guard(environ, time)))

    @staticmethod
    def guard(environ: dict[str, str], time: Time | None = None) -> Guard:
        """Return the guard of these settings."""
        return build_guard(load(AccessSettings, environ), time or Time())

    def send(self, client: Client, **headers: str) -> httpx.Response:
        """Return the response to the request."""
        return client.request(self.method, self.path, json=self.json, headers=headers)


PUBLIC = [
    PublicFunction("ingest_event", _ingest, "POST", "/events", 202, event_json()),
    PublicFunction("ingest_event", _ingest, "POST", "/events/batch", 202, [event_json()]),
    PublicFunction("list_highlights", _list, "GET", "/highlights", 200),
    PublicFunction("list_highlights", _list, "HEAD", "/highlights", 200),
    PublicFunction("get_highlight", _get, "GET", f"/highlights/{id_of(MATCH, 'goal-1')}", 200),
]
each = pytest.mark.parametrize(
    "public", PUBLIC, ids=lambda public: f"{public.method} {public.path}"
)


def assert_problem(response: httpx.Response, status: int) -> None:
    """Check that a response is a problem of this status; for a HEAD, by its headers alone."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-correlation-id"]
    if response.request.method == "HEAD":
        assert response.content == b""
    else:
        assert ProblemDetails.model_validate_json(response.content).status == status


@each
def test_no_key_is_needed_by_default(public: PublicFunction) -> None:
    """One that is sent does no harm."""
    client = public.client({})
    assert public.send(client).status_code == public.status
    assert public.send(client, **BEARER).status_code == public.status


@each
@pytest.mark.parametrize("headers", [BEARER, {"X-Api-Key": KEY}], ids=str)
def test_a_valid_key_is_admitted(public: PublicFunction, headers: dict[str, str]) -> None:
    """In either header."""
    assert public.send(public.client(KEYS), **headers).status_code == public.status


@each
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer a-wrong-key-of-the-feed"}, {"X-Api-Key": "a-wrong-key"}],
    ids=str,
)
def test_a_request_without_a_valid_key_is_a_401(
    public: PublicFunction, headers: dict[str, str]
) -> None:
    """The response says how to send a key, and repeats no part of the request."""
    response = public.send(public.client(KEYS), **headers)
    assert_problem(response, 401)
    assert response.headers["www-authenticate"] == "Bearer"
    assert "wrong" not in response.text


def test_an_event_without_a_valid_key_is_not_published() -> None:
    """The 401 is the only response."""
    publisher = FakePublisher()
    guard = build_guard(load(AccessSettings, KEYS))
    client = Client(ingest_event(lambda: publisher, RULES, guard=guard))
    assert client.post("/events", json=event_json()).status_code == 401
    assert publisher.published == []


@each
def test_health_needs_no_key_and_has_no_limit(public: PublicFunction) -> None:
    """Monitoring has no key."""
    client = public.client(KEYS | LIMIT)
    assert {client.get("/health").status_code for _ in range(5)} == {200}


@each
@pytest.mark.parametrize("keys", [{}, KEYS], ids=["open", "keys"])
def test_a_request_over_the_limit_is_a_429_until_retry_after(
    public: PublicFunction, keys: dict[str, str]
) -> None:
    """A second earlier it is refused, at that time it is admitted."""
    time = Time()
    client = public.client(keys | LIMIT, time)
    assert [public.send(client, **BEARER).status_code for _ in range(2)] == [public.status] * 2
    refused = public.send(client, **BEARER)
    assert_problem(refused, 429)
    seconds = int(refused.headers["retry-after"])
    time.now += seconds - 1
    assert public.send(client, **BEARER).status_code == 429
    time.now += 1
    assert public.send(client, **BEARER).status_code == public.status


@each
@pytest.mark.parametrize("keys", [{}, KEYS], ids=["open", "keys"])
def test_each_answer_says_what_is_left_of_the_limit(
    public: PublicFunction, keys: dict[str, str]
) -> None:
    """So that a caller can slow down before it is refused."""
    time = Time()
    client = public.client(keys | LIMIT, time)
    told = [public.send(client, **BEARER).headers for _ in range(2)]
    time.now += 2
    told.append(public.send(client, **BEARER).headers)
    assert [each["ratelimit"] for each in told] == [
        '"caller";r=1;t=3',
        '"caller";r=0;t=3',
        '"caller";r=0;t=1',
    ]
    assert {each["ratelimit-policy"] for each in told} == {'"caller";q=2;w=5'}


def test_errors_too_say_what_is_left_of_the_limit() -> None:
    """A request that is not valid counts, and so does a wrong key, of its address."""
    client = PUBLIC[2].client(KEYS | LIMIT)
    invalid = client.get("/highlights?page=x", headers=BEARER)
    assert (invalid.status_code, invalid.headers["ratelimit"]) == (400, '"caller";r=1;t=3')
    unauthorized = client.get("/highlights")
    assert (unauthorized.status_code, unauthorized.headers["ratelimit"]) == (
        401,
        '"caller";r=1;t=3',
    )
    assert unauthorized.headers["www-authenticate"] == "Bearer"


@each
def test_without_a_limit_answers_say_nothing_of_it(public: PublicFunction) -> None:
    """There is nothing to say."""
    assert "ratelimit" not in public.send(public.client(KEYS), **BEARER).headers


def test_a_limit_applies_to_all_routes_of_a_function() -> None:
    """A batch counts as one request, like an event."""
    client = PUBLIC[0].client(LIMIT)
    statuses = [client.post("/events/batch", json=[event_json()]).status_code for _ in range(2)]
    assert [*statuses, client.post("/events", json=event_json()).status_code] == [202, 202, 429]


def test_clients_behind_the_gateway_have_limits_of_their_own() -> None:
    """By the address that the gateway appends, whatever they write before it."""
    client = PUBLIC[2].client({"RATE_LIMIT": "1", "RATE_LIMIT_BURST": "1"})

    def status(forwarded: str) -> int:
        return client.get("/highlights", headers={"X-Forwarded-For": forwarded}).status_code

    addresses = ["192.0.2.1", "192.0.2.2", "10.0.0.1, 192.0.2.1"]
    assert [status(forwarded) for forwarded in addresses] == [200, 200, 429]


def test_an_unknown_path_or_method_needs_no_key() -> None:
    """A 404 and a 405 reveal nothing that the OpenAPI document does not."""
    client = PUBLIC[0].client(KEYS)
    assert client.get("/nowhere").status_code == 404
    assert client.get("/events").status_code == 405
