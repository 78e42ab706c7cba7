"""The functions under awslambdaric, as Lambda's image starts them, with the events of AWS."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin
from uuid import uuid4

import httpx
import pytest

from functions.shared.contract.topics import HIGHLIGHTS_PENDING, MATCH_EVENTS
from local.stack.stack import Stack
from tests.support.builders.events import event_json
from tests.support.builders.lambda_events import SCHEDULE
from tests.support.drivers.broker import Broker
from tests.support.drivers.event_source import deliver_until
from tests.support.drivers.lambda_runtime import FunctionError, instance
from tests.support.drivers.lambdas import Lambdas, running_lambdas
from tests.support.drivers.table import Table

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OF_A_SERVER = {"connection", "date", "server", "vary", "via", "x-cache"}
REQUESTS = [
    ("GET", "/highlights?matchId={match}", {}),
    ("HEAD", "/highlights?matchId={match}", {}),
    ("GET", "/highlights?matchId={match}&pageSize=2", {}),
    ("GET", "/highlights?matchId={match}&pageSize=2&page=2", {}),
    ("GET", "/highlights?team=%C3%81rsenal+%26+co&eventType=goal", {}),
    ("GET", "/highlights?matchId={match}", {"If-None-Match": "*"}),
    ("GET", "/highlights?page=one&nonsense=%ff", {}),
    ("DELETE", "/highlights", {}),
    ("GET", "/highlights/{id}", {}),
    ("HEAD", "/highlights/{id}", {}),
    ("GET", "/highlights/{id}", {"If-None-Match": "*"}),
    ("GET", "/highlights/00000000-0000-0000-0000-00000000dead", {}),
    ("GET", "/highlights/%C3%A9", {}),
]
Answered = tuple[int, list[tuple[str, str]], bytes]


@pytest.fixture(scope="module")
def lambdas(
    stack: Stack, broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lambdas]:
    """An instance of each function."""
    with running_lambdas(stack, broker, tmp_path_factory.mktemp("lambdas")) as running:
        yield running


@pytest.mark.usefixtures("quiet_stack")
def test_a_posted_goal_crosses_the_broker_and_becomes_ready(lambdas: Lambdas, table: Table) -> None:
    """By an HTTP, a Kafka and a schedule event; then by the event on the other topic.

    That event is sent before consume-goal answers, as its process may be frozen afterwards.
    """
    first, second = str(uuid4()), str(uuid4())
    with (
        lambdas.client("prod") as api,
        lambdas.source(MATCH_EVENTS) as events,
        lambdas.source(HIGHLIGHTS_PENDING) as pending,
    ):
        posted = api.post("/events", json=event_json(matchId=first))
        assert (posted.status_code, table.of_match(first)) == (202, [])
        deliver_until(lambda: table.of_match(first) == ["PENDING_AI"], events)
        assert lambdas.functions["enrich_batch"].invoke(SCHEDULE)["ready"] >= 1
        highlight = api.get(posted.headers["Location"]).json()
        assert (highlight["matchId"], highlight["status"]) == (first, "READY")
        api.post("/events", json=event_json(matchId=second))
        deliver_until(lambda: table.of_match(second) == ["PENDING_AI"], events)
        deliver_until(lambda: table.of_match(second) == ["READY"], pending)


def test_reads_are_answered_as_by_the_gateway(
    lambdas: Lambdas, stack: Stack, table: Table, http: httpx.Client
) -> None:
    """The same status, headers and body from both."""
    match_id = str(uuid4())
    goals = [event_json(matchId=match_id, eventId=f"{n}", team="Ársenal & co") for n in range(5)]
    with (
        lambdas.client() as api,
        lambdas.source(MATCH_EVENTS) as events,
        lambdas.source(HIGHLIGHTS_PENDING) as pending,
    ):
        assert api.post("/events/batch", json=goals).status_code == 202
        deliver_until(lambda: table.of_match(match_id) == ["READY"] * len(goals), events, pending)
        highlight = api.get(f"/highlights?matchId={match_id}").json()[0]
        for method, path, headers in REQUESTS:
            url = path.format(id=highlight["id"], match=match_id)
            ours = asked(api, method, url, headers)
            assert ours == asked(http, method, f"{stack.highlights_url}{url}", headers)
        link = api.get(f"/highlights?matchId={match_id}&pageSize=2").headers["Link"]
        url = urljoin("/highlights", link.partition(">")[0].removeprefix("<"))
        ours = asked(api, "GET", url, {})
        assert ours == asked(http, "GET", f"{stack.highlights_url}{url}", {})
        assert ours[0] == 200


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b'{"matchId": "\xff"}'),
        ("application/json; charset=utf-8", b'{"mathcId": 1}'),
        ("text/plain", b"goal!"),
        ("application/octet-stream", bytes(range(256))),
    ],
)
def test_what_is_refused_is_refused_as_by_the_gateway(
    lambdas: Lambdas, stack: Stack, http: httpx.Client, content_type: str, body: bytes
) -> None:
    """With the same problem details, whatever the body."""
    headers = {"Content-Type": content_type}
    with lambdas.client() as api:
        ours = asked(api, "POST", "/events", headers, body)
    assert ours == asked(http, "POST", f"{stack.events_url}/events", headers, body)
    assert 400 <= ours[0] < 500


def test_a_function_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The initialization error names the missing variable."""
    with (
        instance("list_highlights", {}, tmp_path / "log") as runtime,
        pytest.raises(FunctionError) as raised,
    ):
        runtime.invoke(SCHEDULE)
    assert raised.value.args == ("CannotStart", "cannot start: DATABASE_URL is missing")


def asked(
    client: httpx.Client, method: str, url: str, headers: dict[str, str], body: bytes = b""
) -> Answered:
    """Return an answer without the headers that depend on the server, or on who asked before."""
    headers = {"traceparent": TRACE, "Accept-Encoding": "identity", **headers}
    response = client.request(method, url, headers=headers, content=body)
    kept = [each for each in response.headers.items() if each[0] not in OF_A_SERVER]
    return response.status_code, sorted(kept), response.content
