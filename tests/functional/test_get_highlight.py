"""GET /highlights/{id}."""

import asyncio
from uuid import UUID

import pytest

from functions.consume_goal.revisions import revision_of
from functions.get_highlight.app import build_app
from functions.shared.contract.highlight import Status
from functions.shared.inbound.received_record import ReceivedRecord
from infra.openapi.response_models import Highlight
from tests.support.builders.events import MATCH, id_of, identified
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeStore

GOAL = id_of(MATCH, "goal-1")
PATH = f"/highlights/{GOAL}"


@pytest.fixture(name="store")
def _store() -> FakeStore:
    """A store with one goal."""
    store = FakeStore()
    asyncio.run(store.record([revision_of(identified(), ReceivedRecord(None, None, None), RULES)]))
    return store


@pytest.fixture(name="reader")
def _reader(store: FakeStore) -> Client:
    """A client of the function."""
    return Client(build_app(lambda: store))


def test_a_highlight_is_found_by_its_id(reader: Client) -> None:
    """With every field of the contract."""
    response = reader.get(PATH)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert Highlight.model_validate(response.json()).model_dump()["id"] == GOAL
    assert set(response.json()) == {field.alias for field in Highlight.model_fields.values()}


def test_a_retracted_highlight_is_found_by_its_id(reader: Client, store: FakeStore) -> None:
    """It is stored, and shown by its id."""
    retraction = identified(revision=1, retracted=True)
    asyncio.run(store.record([revision_of(retraction, ReceivedRecord(None, None, None), RULES)]))
    assert reader.get(PATH).json()["status"] == Status.RETRACTED


def test_an_id_in_capitals_is_the_same_id(reader: Client) -> None:
    """As RFC 9562 requires."""
    assert reader.get(f"/highlights/{str(GOAL).upper()}").status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        str(UUID(int=7)),
        "00000000-0000-0000-0000-000000000000",
        "",
        "1",
        "None",
        "latest",
        "..",
        f"{GOAL}/",
        f"{GOAL}/title",
        f"{GOAL}%00",
        f"{GOAL}%20",
        f"{GOAL}%0A",
        f"{GOAL}%3Fx",
        f"{GOAL}%23x",
        f"%20{GOAL}",
        "%E0%A4%A",
        "%FF",
        "三笘薫",
        "'%20OR%201=1--",
        "x" * 5000,
    ],
)
def test_an_unknown_or_invalid_id_is_a_404(name: str, reader: Client) -> None:
    """In problem details."""
    response = reader.get(f"/highlights/{name}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"  # it may be there a moment later
    assert len(response.content) < 1000


def test_an_invalid_id_does_not_reach_the_database(reader: Client, store: FakeStore) -> None:
    """Invalid ids cause no query."""
    before = store.statements
    reader.get("/highlights/nonsense")
    assert store.statements == before


def test_a_matching_etag_is_a_304(reader: Client, store: FakeStore) -> None:
    """Until the highlight changes; then it is a 200."""
    tag = reader.get(PATH).headers["etag"]
    again = reader.get(PATH, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    correction = identified(revision=1, player="Messi")
    asyncio.run(store.record([revision_of(correction, ReceivedRecord(None, None, None), RULES)]))
    changed = reader.get(PATH, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["player"]) == (200, "Messi")


def test_a_head_has_the_headers_of_the_get(reader: Client) -> None:
    """And no body."""
    head = reader.request("HEAD", PATH)
    assert (head.status_code, head.headers["etag"]) == (200, reader.get(PATH).headers["etag"])


def test_an_unavailable_database_is_a_503(reader: Client, store: FakeStore) -> None:
    """With the time to retry."""
    store.away = True
    response = reader.get(PATH)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_another_method_is_a_405(method: str, reader: Client) -> None:
    """With the allowed ones."""
    response = reader.request(method, PATH)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_another_path_is_a_404(reader: Client) -> None:
    """And the function has a health check."""
    for path in ("/", "/highlights", "/events", f"/{GOAL}"):
        assert reader.get(path).status_code == 404
    assert reader.get("/health").json() == {"status": "ok"}
