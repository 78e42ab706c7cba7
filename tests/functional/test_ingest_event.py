"""POST /events and POST /events/batch."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message

from functions.ingest_event.app import BATCH_LIMIT, EVENT_LIMIT, build_app
from functions.shared.contract.event import IdentifiedEvent
from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.topics import MATCH_EVENTS
from functions.shared.kafka.publisher import Publisher, Record
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.settings.load import load
from infra.openapi.response_models import Accepted, BatchAccepted, ProblemDetails
from tests.support.builders.events import MATCH, NAMES, OTHER_MATCH, event_json, id_of
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakePublisher

JSON = {"Content-Type": "application/json"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
LIMIT_S = 10


@pytest.fixture(name="broker")
def _broker() -> FakePublisher:
    """A publisher whose broker acknowledges."""
    return FakePublisher()


@pytest.fixture(name="client")
def _client(broker: FakePublisher) -> Client:
    """A client of ingest-event."""
    return Client(build_app(lambda: broker, RULES))


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """Return the problem details of a response with this status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    details: dict[str, Any] = response.json()
    ProblemDetails.model_validate(details)
    assert details["status"] == status
    return details


def errors(response: httpx.Response) -> dict[str, list[str]]:
    """Return the errors of a 400, by field."""
    details: dict[str, list[str]] = problem(response, 400)["errors"]
    assert all(isinstance(why, str) for reasons in details.values() for why in reasons)
    return details


def event_of(record: Record) -> IdentifiedEvent:
    """Return the event of a record."""
    return IdentifiedEvent.model_validate_json(record.value)


def test_an_event_is_accepted(client: Client) -> None:
    """With a message, its match, type and id, and the highlight that it may become."""
    response = client.post("/events", json=event_json(eventId="goal-1"))
    assert response.status_code == 202
    assert response.headers["content-type"] == "application/json"
    accepted = Accepted.model_validate(response.json())
    highlight = id_of(MATCH, "goal-1")
    assert (accepted.match_id, accepted.event_type, accepted.event_id, accepted.highlight_id) == (
        MATCH, "goal", "goal-1", highlight,
    )  # fmt: skip
    assert accepted.message
    assert accepted.highlight == "expected"
    assert response.headers["location"] == f"/highlights/{highlight}"


def test_an_accepted_event_is_on_the_topic(client: Client, broker: FakePublisher) -> None:
    """Its key is its match, so that the match stays in order; it is a CloudEvent by its headers."""
    body = event_json(
        eventId="goal-1", revision=2, player="John Doe", occurredAt="2025-12-08T21:16:00+01:00"
    )
    client.post("/events", json=body)
    (record,) = broker.published
    assert (record.topic, record.key) == (MATCH_EVENTS, str(MATCH))
    assert json.loads(record.value) == body | {
        "occurredAt": "2025-12-08T20:16:00Z", "retracted": False,
    }  # fmt: skip
    headers = dict(record.headers)
    assert headers.pop("traceparent")
    assert headers == {
        "ce_specversion": "1.0",
        "ce_id": f"{MATCH}/goal-1/2",
        "ce_source": "/ingest-event",
        "ce_type": "goalstream.match-event",
        "ce_subject": str(MATCH),
        "ce_time": "2025-12-08T20:16:00+00:00",
        "content-type": "application/json",
    }


def test_each_revision_is_a_cloud_event_of_its_own(client: Client, broker: FakePublisher) -> None:
    """Source and id together identify an event, and are the same when it is sent again."""
    for body in (
        event_json(eventId="a"), event_json(eventId="a"), event_json(eventId="a", revision=1),
        event_json(eventId="a", retracted=True), event_json(eventId="b"),
        event_json(eventId="a", matchId=str(OTHER_MATCH)),
    ):  # fmt: skip
        client.post("/events", json=body)
    names = [record.headers["ce_id"] for record in broker.published]
    assert names[0] == names[1]
    assert len(set(names)) == len(names) - 1


def test_unknown_facts_are_left_out_of_the_record(client: Client, broker: FakePublisher) -> None:
    """So that no text ever says None."""
    client.post("/events", json=event_json(player=None, team=" ", description=""))
    (record,) = broker.published
    assert b"None" not in record.value
    assert b"null" not in record.value
    assert not {"player", "team", "description"} & json.loads(record.value).keys()


def test_an_event_without_an_id_is_assigned_one(client: Client, broker: FakePublisher) -> None:
    """The response has it; each event has another one."""
    first, second = (client.post("/events", json=event_json()).json() for _ in range(2))
    assert first["eventId"] != second["eventId"]
    assert [event_of(record).event_id for record in broker.published] == [
        first["eventId"], second["eventId"],
    ]  # fmt: skip
    assert first["highlightId"] == str(id_of(MATCH, first["eventId"]))


@pytest.mark.parametrize("header", ["key-1", '"key-1"', ' "key-1" ', "  key-1  "])
def test_an_idempotency_key_becomes_the_id_of_its_event(
    header: str, client: Client, broker: FakePublisher
) -> None:
    """Unquoted, or quoted as in its draft standard."""
    response = client.post("/events", json=event_json(), headers={"Idempotency-Key": header})
    assert response.json()["eventId"] == "key-1"
    assert event_of(broker.published[0]).event_id == "key-1"


@pytest.mark.parametrize("header", ["", " ", '""', '"  "'])
def test_an_empty_idempotency_key_is_ignored(header: str, client: Client) -> None:
    """An id is assigned."""
    response = client.post("/events", json=event_json(), headers={"Idempotency-Key": header})
    assert response.status_code == 202
    assert response.json()["eventId"].strip()


def test_the_id_of_an_event_precedes_the_idempotency_key(client: Client) -> None:
    """The body wins over the header."""
    headers = {"Idempotency-Key": "key-1"}
    response = client.post("/events", json=event_json(eventId="goal-1"), headers=headers)
    assert response.json()["eventId"] == "goal-1"


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_an_idempotency_key_replaces_a_blank_id(blank: str | None, client: Client) -> None:
    """Typed clients send null for a value that they do not have; a retry must be harmless."""
    headers, body = {"Idempotency-Key": "key-1"}, event_json(eventId=blank)
    for _ in range(2):
        assert client.post("/events", json=body, headers=headers).json()["eventId"] == "key-1"
    [details] = client.post("/events/batch", json=[body], headers=headers).json()["events"]
    assert details["eventId"] == "key-1/#0"


def test_an_idempotency_key_that_is_too_long_is_refused(client: Client) -> None:
    """By the header's name."""
    headers = {"Idempotency-Key": "k" * 129}
    assert list(errors(client.post("/events", json=event_json(), headers=headers))) == [
        "Idempotency-Key"
    ]


@pytest.mark.parametrize("key", [b"a\0b", b"\0", b"\xc3\xa9\xf0", b'"', b"'", b"\x85a", b"\xa0"])
def test_an_event_with_any_accepted_idempotency_key_can_be_consumed(
    key: bytes, client: Client, broker: FakePublisher
) -> None:
    """An accepted event never ends as a dead letter."""
    response = client.post("/events", json=event_json(), headers=[(b"idempotency-key", key)])
    if response.status_code == 202:
        assert event_of(broker.published[0]).event_id == response.json()["eventId"]
    else:
        assert list(errors(response)) == ["Idempotency-Key"]


def test_a_batch_is_accepted(client: Client, broker: FakePublisher) -> None:
    """Each event has its receipt, in the order of the array."""
    events = [event_json(eventId="a"), event_json(eventId="b", matchId=str(OTHER_MATCH))]
    response = client.post("/events/batch", json=events)
    assert response.status_code == 202
    accepted = BatchAccepted.model_validate(response.json())
    assert [(each.match_id, each.event_id, each.highlight_id) for each in accepted.events] == [
        (MATCH, "a", id_of(MATCH, "a")),
        (OTHER_MATCH, "b", id_of(OTHER_MATCH, "b")),
    ]
    assert [(record.key, event_of(record).event_id) for record in broker.published] == [
        (str(MATCH), "a"), (str(OTHER_MATCH), "b"),
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 500])
def test_a_batch_has_1_to_500_events(count: int, client: Client, broker: FakePublisher) -> None:
    """Both are accepted."""
    assert client.post("/events/batch", json=[event_json()] * count).status_code == 202
    assert len(broker.published) == count
    assert len({event_of(record).event_id for record in broker.published}) == count


@pytest.mark.parametrize(("count", "limit"), [(0, "1"), (501, "500")])
def test_a_batch_of_another_size_is_refused(
    count: int, limit: str, client: Client, broker: FakePublisher
) -> None:
    """With the number of events that it may have."""
    (why,) = errors(client.post("/events/batch", json=[event_json()] * count))["body"]
    assert limit in why
    assert broker.published == []


@pytest.mark.parametrize("item", [b"{}", b"1", b'{"plyer":1}'])
def test_a_batch_that_is_too_long_is_refused_before_its_events_are_validated(
    item: bytes, client: Client
) -> None:
    """Validating a million of them would keep the function busy."""
    body = b"[" + b",".join([item] * 50_000) + b"]"
    assert list(errors(client.post("/events/batch", content=body, headers=JSON))) == ["body"]


def test_an_invalid_event_refuses_its_batch(client: Client, broker: FakePublisher) -> None:
    """With its index and its field; nothing is published."""
    events: list[Any] = [event_json(eventId=f"{at}") for at in range(5)]
    events[2] |= {"minute": 999, "plyer": "x"}
    del events[4]["matchId"]
    details = errors(client.post("/events/batch", json=events))
    assert set(details) == {"2.minute", "2.plyer", "4.matchId"}
    assert details["2.plyer"] == ["is unknown; did you mean player?"]
    assert broker.published == []


@pytest.mark.parametrize("item", [None, 1, "goal", [], [event_json()]])
def test_an_item_that_is_no_event_is_refused_by_its_index(item: object, client: Client) -> None:
    """Whatever it is."""
    assert list(errors(client.post("/events/batch", json=[event_json(), item]))) == ["1"]


def test_the_idempotency_key_of_a_batch_gives_each_event_an_id(
    client: Client, broker: FakePublisher
) -> None:
    """The same ids when the batch is sent again; an event's own id is kept."""
    events = [event_json(), event_json(eventId="own"), event_json()]
    for _ in range(2):
        client.post("/events/batch", json=events, headers={"Idempotency-Key": "key"})
    ids = [event_of(record).event_id for record in broker.published]
    assert ids[:3] == ids[3:]
    assert ids[1] == "own"
    assert len(set(ids)) == 3


def test_every_refused_field_is_named_with_a_reason(client: Client) -> None:
    """An unknown one has a hint if its name is nearly right."""
    details = errors(
        client.post(
            "/events",
            json={"matchId": "1", "occurredAt": "today", "minute": "45", "event_type": "goal"},
        )
    )
    assert set(details) == {"matchId", "occurredAt", "minute", "event_type", "eventType"}
    assert details["event_type"] == ["is unknown; did you mean eventType?"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"\xff", b"goal", b"[]", b'{"a": NaN}', b"{}{}"]
)
@pytest.mark.parametrize("path", ["/events", "/events/batch"])
def test_an_invalid_event_is_a_400(path: str, body: bytes, client: Client) -> None:
    """With the reason, and nothing is published."""
    assert errors(client.post(path, content=body, headers=JSON))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/events", b"{" + b",".join(b'"f%d":1' % n for n in range(5_000)) + b"}"),
        ("/events/batch", b"[" + b",".join([b"1"] * 40_000) + b"]"),
        ("/events/batch", b"[{" + b",".join(b'"f%d":1' % n for n in range(20_000)) + b"}]"),
        ("/events/batch", b"[" + b",".join([b'{"' + b"x" * 900 + b'":1}'] * 500) + b"]"),
    ],
)  # fmt: skip
def test_a_refusal_is_not_larger_than_its_request(path: str, body: bytes, client: Client) -> None:
    """So that invalid requests cost neither traffic nor time."""
    response = client.post(path, content=body, headers=JSON)
    assert errors(response)
    assert len(response.content) <= EVENT_LIMIT


@pytest.mark.parametrize(
    ("path", "limit"), [("/events", EVENT_LIMIT), ("/events/batch", BATCH_LIMIT)]
)
def test_the_limits_are_those_of_the_contract(path: str, limit: int, client: Client) -> None:
    """64 KiB for an event and 2 MiB for a batch; one byte more is a 413."""
    assert limit == {"/events": 64 * 1024, "/events/batch": 2 * 1024 * 1024}[path]
    body = json.dumps([event_json()] if path.endswith("batch") else event_json()).encode()
    padded = body + b" " * (limit - len(body))
    assert client.post(path, content=padded, headers=JSON).status_code == 202
    problem(client.post(path, content=padded + b" ", headers=JSON), 413)


def test_a_body_whose_content_length_is_too_large_is_not_read(client: Client) -> None:
    """The response is sent before the body arrives."""

    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    headers = JSON | {"Content-Length": str(EVENT_LIMIT + 1)}
    problem(client.post("/events", content=never(), headers=headers), 413)


@pytest.mark.parametrize("announced", [{}, {"Content-Length": "10"}])
def test_a_body_that_proves_too_large_is_not_read_to_its_end(
    announced: Mapping[str, str], client: Client
) -> None:
    """In chunks without an end, or longer than its Content-Length."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * EVENT_LIMIT:
            sent += 1024
            yield b" " * 1024

    problem(client.post("/events", content=endless(), headers={**JSON, **announced}), 413)
    assert sent <= 2 * EVENT_LIMIT


def test_an_event_in_many_chunks_is_accepted(client: Client) -> None:
    """Cut anywhere, even in the middle of a character."""

    async def bytewise() -> AsyncIterator[bytes]:
        for byte in json.dumps(event_json(player="三笘薫"), ensure_ascii=False).encode():
            yield bytes([byte])

    assert client.post("/events", content=bytewise(), headers=JSON).status_code == 202


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/feed+json",
    ],
)
def test_json_is_recognised_by_its_content_type(content_type: str, client: Client) -> None:
    """In any case, with parameters, or with the suffix +json."""
    headers = {"Content-Type": content_type}
    response = client.post("/events", content=json.dumps(event_json()), headers=headers)
    assert response.status_code == 202


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "json", "text/json"])
def test_another_content_type_is_a_415(content_type: str, client: Client) -> None:
    """With the type that is accepted."""
    for headers in ({"Content-Type": content_type}, {}):
        response = client.post("/events", content=json.dumps(event_json()), headers=headers)
        assert "application/json" in problem(response, 415)["detail"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.parametrize("path", ["/events", "/events/batch"])
def test_another_method_is_a_405(method: str, path: str, client: Client) -> None:
    """With the allowed ones."""
    response = client.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST, OPTIONS"
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/event", "/events/", "/events/1", "/EVENTS", "/highlights"])
def test_another_path_is_a_404(path: str, client: Client) -> None:
    """For any method."""
    problem(client.post(path, json=event_json()), 404)
    problem(client.get(path), 404)


def test_the_function_has_a_health_check(client: Client) -> None:
    """By GET and HEAD; another method is a 405."""
    response = client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert client.request("HEAD", "/health").status_code == 200
    refused = client.post("/health")
    problem(refused, 405)
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_script_is_published_unchanged(
    name: str, client: Client, broker: FakePublisher
) -> None:
    """In every field, and in an id."""
    body = event_json(player=name, team=name, description=name, eventId=name, homeTeam=name)
    response = client.post("/events", json=body)
    assert response.json()["eventId"] == name
    event = event_of(broker.published[0])
    assert {event.player, event.team, event.description, event.event_id, event.home_team} == {name}
    assert response.headers["location"] == f"/highlights/{id_of(MATCH, name)}"


def test_escaped_characters_are_decoded(client: Client, broker: FakePublisher) -> None:
    """JSON allows both forms."""
    body = json.dumps(event_json(player="👩🏽 三笘薫"), ensure_ascii=True)
    client.post("/events", content=body, headers=JSON)
    assert event_of(broker.published[0]).player == "👩🏽 三笘薫"


def test_the_trace_of_a_request_is_continued_on_the_topic(
    client: Client, broker: FakePublisher
) -> None:
    """And the response has its id."""
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    response = client.post("/events", json=event_json(), headers=headers)
    assert response.headers["x-correlation-id"] == TRACE
    assert broker.published[0].headers["traceparent"].startswith(f"00-{TRACE}-")
    assert "00f067aa0ba902b7" not in broker.published[0].headers["traceparent"]


@pytest.mark.parametrize(
    "traceparent", [None, "", "garbage", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"]
)
def test_a_request_without_a_trace_gets_a_new_one(
    traceparent: str | None, client: Client, broker: FakePublisher
) -> None:
    """The response and the record share it."""
    headers = {} if traceparent is None else {"traceparent": traceparent}
    response = client.post("/events", json=event_json(), headers=headers)
    new = response.headers["x-correlation-id"]
    assert len(new) == 32
    assert int(new, 16)
    assert broker.published[0].headers["traceparent"].startswith(f"00-{new}-")


def test_an_error_has_a_correlation_id_too(client: Client) -> None:
    """The id identifies the line in the log."""
    assert client.get("/nothing").headers["x-correlation-id"]


def test_a_202_is_sent_only_after_the_acknowledgement() -> None:
    """The broker's acknowledgement."""

    async def within() -> None:
        broker = FakePublisher(release=asyncio.Event())
        assert broker.release
        client = Client(build_app(lambda: broker, RULES))
        pending = asyncio.create_task(client.send("POST", "/events", json=event_json()))
        async with asyncio.timeout(LIMIT_S):
            await broker.asked.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not pending.done()
        broker.release.set()
        assert (await pending).status_code == 202

    asyncio.run(within())


@pytest.mark.parametrize(
    ("path", "body"), [("/events", event_json()), ("/events/batch", [event_json()])]
)
def test_a_missing_acknowledgement_is_a_503(path: str, body: object) -> None:
    """With the time to retry, the match, the topic, and the id that makes a retry harmless."""
    client = Client(build_app(lambda: FakePublisher(refuses=True), RULES))
    response = client.post(path, json=body)
    details = problem(response, 503)
    assert int(response.headers["retry-after"]) >= 1
    assert (details["matchId"], details["topic"]) == (str(MATCH), MATCH_EVENTS)
    assert details["eventId"]


def test_the_id_of_a_503_makes_a_retry_the_same_event() -> None:
    """A retry with that id makes no second highlight."""
    broker = FakePublisher(refuses=True)
    client = Client(build_app(lambda: broker, RULES))
    event_id = client.post("/events", json=event_json()).json()["eventId"]
    broker.refuses = False
    response = client.post("/events", json=event_json(eventId=event_id))
    assert response.json()["eventId"] == event_id


def test_the_ids_of_a_batch_s_503_make_a_retry_the_same_events() -> None:
    """The response has each id, since some of the records may have arrived."""
    client = Client(build_app(lambda: FakePublisher(refuses=True), RULES))
    details = problem(client.post("/events/batch", json=[event_json(), event_json()]), 503)
    assert len({each["eventId"] for each in details["events"]}) == 2


@pytest.fixture(name="mute_broker")
def _mute_broker() -> Iterator[str]:
    """A broker that accepts connections and never responds."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(name="absent_broker")
def _absent_broker() -> str:
    """An address where no broker listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("which", ["mute_broker", "absent_broker"])
def test_an_unavailable_broker_is_a_503_within_the_deadline(
    which: str, request: pytest.FixtureRequest
) -> None:
    """For an event or a batch, while the function answers other requests."""
    servers = request.getfixturevalue(which)
    settings = load(
        KafkaSettings, {"KAFKA_BOOTSTRAP_SERVERS": servers, "PUBLISH_DEADLINE_S": "0.3"}
    )

    async def within() -> None:
        publisher = Publisher(settings, topic="match-events")
        client = Client(build_app(lambda: publisher, RULES))
        start = monotonic()
        pending = [
            asyncio.create_task(client.send("POST", "/events", json=event_json())),
            asyncio.create_task(client.send("POST", "/events/batch", json=[event_json()] * 500)),
        ]
        assert (await client.send("GET", "/health")).status_code == 200
        async with asyncio.timeout(LIMIT_S):
            responses = await asyncio.gather(*pending)
        assert 0.3 <= monotonic() - start < LIMIT_S / 2
        for response in responses:
            assert problem(response, 503)["topic"] == MATCH_EVENTS

    asyncio.run(within())


def test_a_client_that_disconnects_is_not_logged_as_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After half a body: no event, no alarm."""
    broker = FakePublisher()
    messages: list[Message] = [
        {"type": "http.request", "body": b'{"matchId":', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/events", "headers": headers}
    with suppress(ClientDisconnect):
        asyncio.run(_awaited(build_app(lambda: broker, RULES)(Request(scope, receive))))
    assert broker.published == []
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def _awaited(response: Awaitable[Response]) -> Response:
    return await response


def test_a_highlight_id_is_a_uuid_for_any_event_id(client: Client) -> None:
    """So a Location needs no escaping."""
    for event_id in ("a/b", "a b", "?", "#", "%2F", "é"):
        location = client.post("/events", json=event_json(eventId=event_id)).headers["location"]
        assert UUID(location.removeprefix("/highlights/"))
        assert quote(location) == location


def test_a_location_is_absolute_if_highlights_are_served_elsewhere(broker: FakePublisher) -> None:
    """At the address in HIGHLIGHTS_URL."""
    client = Client(build_app(lambda: broker, RULES, highlights_url="https://example.org/api"))
    response = client.post("/events", json=event_json(eventId="goal-1"))
    assert response.headers["location"] == (
        f"https://example.org/api/highlights/{id_of(MATCH, 'goal-1')}"
    )


@pytest.mark.parametrize(
    "spelling", ["own-goal", "own goal", "ownGoal", "goal-own", "goal-penalty"]
)
def test_common_spellings_of_a_goal_are_recognised(spelling: str, client: Client) -> None:
    """The response has the type."""
    response = client.post("/events", json=event_json(eventType=spelling))
    assert response.json()["highlight"] == "expected"
    assert response.json()["eventType"] in ("own_goal", "penalty_goal")
    assert "location" in response.headers


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"eventType": "penalty"}, "Did you mean penalty_goal?"),
        ({"eventType": "Goal!"}, "Did you mean goal?"),
        ({"eventType": "own goals"}, "Did you mean own_goal?"),
        ({"period": "shootout"}, "A kick of a shoot-out is no goal of the match."),
        ({"eventType": "yellow_card"}, None),
        ({"eventType": "goal_kick"}, None),
        ({"eventType": "missed_penalty"}, None),
        ({"eventType": "shootout_goal"}, None),
    ],
)
def test_a_response_says_if_no_highlight_is_expected(
    fields: dict[str, Any], hint: str | None, client: Client
) -> None:
    """With a hint where the sender may expect one, and without a Location."""
    for path, body in (
        ("/events", event_json(**fields)),
        ("/events/batch", [event_json(**fields)]),
    ):
        response = client.post(path, json=body)
        assert response.status_code == 202
        (receipt,) = response.json().get("events", [response.json()])
        assert (receipt["highlight"], receipt.get("hint")) == ("none", hint)
        assert "location" not in response.headers


def test_an_event_in_the_far_future_is_refused(broker: FakePublisher) -> None:
    """A day ahead of our clock is accepted; in a batch the event that is further ahead is named."""
    now = datetime(2025, 12, 8, 20, 16, tzinfo=UTC)
    rules = EventRules(RULES.highlight_types, timedelta(days=1), lambda: now)
    client = Client(build_app(lambda: broker, rules))
    tomorrow, later = "2025-12-09T20:16:00Z", "2025-12-09T20:16:00.000001Z"
    assert client.post("/events", json=event_json(occurredAt=tomorrow)).status_code == 202
    refused = client.post("/events", json=event_json(occurredAt=later))
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["occurredAt"])
    batch = [event_json(occurredAt=at) for at in (tomorrow, later)]
    refused = client.post("/events/batch", json=batch)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["1.occurredAt"])
    assert len(broker.published) == 1
