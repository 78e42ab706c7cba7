"""GET /highlights/{id}, as readers see it."""

import asyncio
from uuid import UUID

import pytest

from functions.consume_goal.consume import row
from functions.get_highlight.app import app
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.highlights import RETRACTED
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
    asyncio.run(store.record([row(identified(), ReceivedRecord(None, None, None), RULES)]))
    return store


@pytest.fixture(name="reader")
def _reader(store: FakeStore) -> Client:
    """Who reads from the store."""
    return Client(app(lambda: store))


def test_a_highlight_is_found_by_its_id(reader: Client) -> None:
    """With every field of the contract."""
    answer = reader.get(PATH)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert Highlight.model_validate(answer.json()).model_dump()["id"] == GOAL
    assert set(answer.json()) == {field.alias for field in Highlight.model_fields.values()}


def test_a_retracted_highlight_is_found_by_its_id(reader: Client, store: FakeStore) -> None:
    """It is kept, and shown to who asks for it."""
    retraction = identified(revision=1, retracted=True)
    asyncio.run(store.record([row(retraction, ReceivedRecord(None, None, None), RULES)]))
    assert reader.get(PATH).json()["status"] == RETRACTED


def test_an_id_in_capitals_is_the_same_id(reader: Client) -> None:
    """As RFC 9562 has it."""
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
def test_what_there_is_not_is_a_404(name: str, reader: Client) -> None:
    """An id that is unknown, and what is no id."""
    answer = reader.get(f"/highlights/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"  # it may be there a moment later
    assert len(answer.content) < 1000


def test_what_is_no_id_does_not_reach_the_database(reader: Client, store: FakeStore) -> None:
    """Nobody keeps it busy with nonsense."""
    before = store.statements
    reader.get("/highlights/nonsense")
    assert store.statements == before


def test_an_etag_spares_the_body(reader: Client, store: FakeStore) -> None:
    """304 while nothing changed, 200 once something did."""
    tag = reader.get(PATH).headers["etag"]
    again = reader.get(PATH, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    correction = identified(revision=1, player="Messi")
    asyncio.run(store.record([row(correction, ReceivedRecord(None, None, None), RULES)]))
    changed = reader.get(PATH, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["player"]) == (200, "Messi")


def test_a_head_has_the_headers_of_the_get(reader: Client) -> None:
    """And no body."""
    head = reader.request("HEAD", PATH)
    assert (head.status_code, head.headers["etag"]) == (200, reader.get(PATH).headers["etag"])


def test_a_database_that_is_away_is_a_503(reader: Client, store: FakeStore) -> None:
    """With when to come again."""
    store.away = True
    answer = reader.get(PATH)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_a_405(method: str, reader: Client) -> None:
    """With those that are allowed."""
    answer = reader.request(method, PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_another_path_is_a_404(reader: Client) -> None:
    """And the function says that it is alive."""
    for path in ("/", "/highlights", "/events", f"/{GOAL}"):
        assert reader.get(path).status_code == 404
    assert reader.get("/health").json() == {"status": "ok"}
