"""The cost of a request at its limits: its time and memory are bounded."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
from pydantic import TypeAdapter

from functions.consume_goal.app import BODY_LIMIT
from functions.enrich_batch.enricher import EnrichmentTask, normalize
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.get_highlight.app import build_app as get_highlight
from functions.ingest_event.app import BATCH_LIMIT, EVENT_LIMIT
from functions.list_highlights.app import build_app as list_highlights
from functions.list_highlights.pages import PageReader
from functions.shared.contract.highlight import Facts
from functions.shared.contract.metadata import Metadata
from functions.shared.http.query_parameters import MAX_LENGTH
from functions.shared.http.routing import Router
from functions.shared.inbound.cloudevents import BATCH
from tests.support.builders.costs import (
    KIB,
    filled,
    ingest,
    most_memory,
    posted,
    price,
    trigger,
    unknown_field,
)
from tests.support.builders.events import NAMES, event_json
from tests.support.builders.revisions import cloud_event
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeCache, FakeStore

LONG_TRACE = f"01-{'a' * 32}-{'b' * 16}-01-"
DEEP = (100, 200, 254, 255, 900, 1000, 1023, 1024, 30_000)


def reader(make: Callable[..., Router], source: object) -> Client:
    """Return a client of a function that reads."""
    return Client(make(lambda: source))


EVENTS: dict[str, Callable[[int], bytes]] = {
    "unknown fields": lambda limit: filled(b"{", unknown_field, b"}", limit),
    "one name": lambda limit: b'{"' + b"x" * (limit - 6) + b'":1}',
    "a huge integer": lambda limit: b'{"revision":' + b"9" * (limit - 13) + b"}",
    "huge integers": lambda limit: filled(b'{"player":[', lambda _: b"9" * 4000, b"]}", limit),
    "a long fraction": lambda limit: b'{"minute":0.' + b"9" * (limit - 13) + b"}",
    "a huge exponent": lambda limit: b'{"minute":1e' + b"9" * (limit - 13) + b"}",
    "a long date": lambda limit: (
        b'{"occurredAt":"2022-12-18T15:36:00.' + b"0" * (limit - 39) + b'Z"}'
    ),
    "a long id": lambda limit: b'{"matchId":"' + b"0" * (limit - 14) + b'"}',
    "much space": lambda limit: b'{"eventType":"' + b" " * (limit - 16) + b'"}',
    "escapes": lambda limit: b'{"player":"' + b"\\u00e9" * ((limit - 14) // 6) + b'"}',
    "lone surrogates": lambda limit: b'{"player":"' + b"\\ud800" * ((limit - 14) // 6) + b'"}',
    "a long list": lambda limit: filled(b'{"player":[', lambda _: b"1", b"]}", limit),
    "many objects": lambda limit: filled(b'{"player":[', lambda _: b"{}", b"]}", limit),
    "metadata": lambda limit: filled(b'{"metadata":{"a":[', lambda _: b"1", b"]}}", limit),
    "metadata of objects": lambda limit: filled(
        b'{"metadata":{"a":[', lambda _: b"{}", b"]}}", limit
    ),
    "space alone": lambda limit: b" " * limit,
}  # fmt: skip


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize(
    ("path", "limit", "start", "end"),
    [("/events", EVENT_LIMIT, b"", b""), ("/events/batch", BATCH_LIMIT, b"[", b"]")],
)
def test_a_body_of_the_largest_size_is_answered_quickly(
    kind: str, path: str, limit: int, start: bytes, end: bytes
) -> None:
    """The error response is not larger than a page."""
    client = ingest()
    body = start + EVENTS[kind](limit - len(start + end)) + end
    assert limit * 0.9 < len(body) <= limit
    response, seconds = price(lambda: posted(client, path, body))
    assert response.status_code == 400
    assert len(response.content) < 8 * KIB
    assert seconds < 0.5


@pytest.mark.parametrize(
    "item", [b"{}", b"1", b'{"mtchId":1}', filled(b"{", unknown_field, b"}", 4000)]
)
def test_500_errors_are_answered_quickly(item: bytes) -> None:
    """The response has the first of the errors."""
    client = ingest()
    body = b"[" + b",".join([item] * 500) + b"]"
    response, seconds = price(lambda: posted(client, "/events/batch", body))
    assert response.status_code == 400
    assert 50 <= len(response.json()["errors"]) < 200
    assert len(response.content) < 16 * KIB
    assert seconds < 0.5


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (b"[", b"]"),
        (b'{"player":', b"}"),
        (b'{"metadata":', b"}"),
        (b'[{"player":', b"}]"),
        (b'{"a":[', b"]}"),
    ],
)
@pytest.mark.parametrize("deep", DEEP)
def test_json_of_any_depth_is_answered(start: bytes, end: bytes, deep: int) -> None:
    """As an event and as a record, closed or not."""
    opened = start * deep
    client, records = ingest(), trigger()
    for body in (opened, opened + b"1" + end * deep):
        for path in ("/events", "/events/batch"):
            assert posted(client, path, body).status_code in (400, 413)
        origin = b'"kafkatopic":"t","kafkapartition":0,"kafkaoffset":1'
        for record in (
            body,
            b'[{"data":' + body + b"," + origin + b"}]",
            b'[{"kafkatopic":"t","kafkapartition":' + body + b',"kafkaoffset":1}]',
            b'[{"kafkatopic":"t","kafkapartition":0,"kafkaoffset":' + body + b"}]",
            b'[{"traceparent":' + body + b"," + origin + b"}]",
        ):
            response = posted(records, "/", record, content_type=BATCH)
            assert response.status_code in (200, 400, 422)


@pytest.mark.parametrize(
    ("make", "path", "limit", "size"),
    [(ingest, "/events", EVENT_LIMIT, 1), (ingest, "/events/batch", BATCH_LIMIT, 64),
     (trigger, "/", BODY_LIMIT, 1024)],
)  # fmt: skip
def test_a_body_in_tiny_parts_costs_time_in_proportion_to_their_number(
    make: Callable[[], Client], path: str, limit: int, size: int
) -> None:
    """The cost is linear, not quadratic."""
    client = make()
    body = b" " * limit
    _, seconds = price(lambda: posted(client, path, body, piece=size, content_type=BATCH))
    assert seconds < 0.5


def test_a_body_in_tiny_parts_is_not_stored_in_parts() -> None:
    """A stored part would be an object many times as large as its content."""
    client, body = ingest(), b" " * EVENT_LIMIT
    at_once = most_memory(lambda: posted(client, "/events", body))
    assert most_memory(lambda: posted(client, "/events", body, piece=1)) < at_once + 4 * EVENT_LIMIT


def test_an_object_of_the_largest_size_takes_no_more_memory_than_its_fields() -> None:
    """There is no error for each of two hundred thousand fields."""
    client, body = ingest(), b"[" + EVENTS["unknown fields"](BATCH_LIMIT - 2) + b"]"
    assert most_memory(lambda: posted(client, "/events/batch", body)) < 20 * BATCH_LIMIT


def longest_events() -> list[dict[str, Any]]:
    """Return a batch of 500 events whose texts are as long as allowed, in every script."""

    def text(number: int, limit: int) -> str:
        name = NAMES[number % len(NAMES)]
        return (name + " ") * (limit // (len(name) + 1))

    room = BATCH_LIMIT // 500
    events = []
    for number in range(500):
        names = {field: text(number, 128) for field in ("player", "team", "homeTeam", "awayTeam")}
        event = event_json(eventId=f"{number}", homeScore=number % 5 + 1, awayScore=1, **names)
        left = room - len(orjson.dumps(event | {"description": ""})) - 1
        description = text(number, 1024).encode()[:left].decode(errors="ignore")
        events.append(event | {"description": description})
    return events


def test_a_batch_of_many_commas_is_accepted() -> None:
    """They may be in texts, and not between fields."""
    client = ingest()
    events = [event_json(eventId=f"{n}", description="," * 1024) for n in range(500)]
    response, seconds = price(lambda: posted(client, "/events/batch", orjson.dumps(events)))
    assert (response.status_code, len(response.json()["events"])) == (202, 500)
    assert seconds < 0.5


def test_metadata_that_is_too_large_is_refused_quickly() -> None:
    """Counting a million members takes longer than parsing them."""
    metadata = {"a": [1] * 1_000_000}
    began = time.process_time()
    with pytest.raises(ValueError, match="at most 2048 bytes"):
        TypeAdapter(Metadata).validate_python(metadata)
    assert time.process_time() - began < 0.1


def test_500_types_that_are_nearly_right_are_accepted_quickly() -> None:
    """Each with its hint."""
    client = ingest()
    events = [event_json(eventId=f"{n}", eventType=f"gooal{n}") for n in range(500)]
    response, seconds = price(lambda: posted(client, "/events/batch", orjson.dumps(events)))
    assert response.status_code == 202
    assert seconds < 0.5


def test_500_events_of_the_longest_texts_are_processed_quickly() -> None:
    """By ingest-event, by consume-goal, and by the enricher."""
    events = longest_events()
    client, records = ingest(), trigger()
    body = orjson.dumps(events)
    assert BATCH_LIMIT * 0.7 < len(body) <= BATCH_LIMIT
    response, accepted = price(lambda: posted(client, "/events/batch", body))
    assert response.status_code == 202
    envelope = orjson.dumps([cloud_event(event, at) for at, event in enumerate(events)])
    response, taken = price(lambda: posted(records, "/", envelope, content_type=BATCH))
    assert response.json() == {"batchItemFailures": []}
    facts = [
        Facts(
            "goal",
            team=event["team"],
            player=event["player"],
            description=event["description"],
            home_team=event["homeTeam"],
            away_team=event["awayTeam"],
            home_score=event["homeScore"],
            away_score=event["awayScore"],
        )
        for event in events
    ]

    async def enriched() -> None:
        enricher = TemplateEnricher()
        for each in facts:
            await enricher.enrich(EnrichmentTask(normalize(each)))

    began = time.process_time()
    asyncio.run(enriched())
    used_s = time.process_time() - began
    assert accepted < 0.5
    assert taken < 0.5
    assert used_s < 1


QUERIES = {
    "unknown names": "&".join(f"{n:x}" for n in range(1300)),
    "names that are nearly right": "&".join(f"evntTyp{n}=1" for n in range(400)),
    "one name": "x" * MAX_LENGTH,
    "empty ones": "&" * MAX_LENGTH,
    "the same one": "team=&" * (MAX_LENGTH // 6),
    "one text": "team=" + "é" * ((MAX_LENGTH - 5) // 6),
    "offsets": "updatedSince=" + "+11:11" * 600,
    "a cursor": "cursor=" + "A" * 4000,
    "digits": "page=" + "9" * 4000,
    "percents": "team=" + "%" * 4000,
}


@pytest.mark.parametrize("kind", QUERIES)
def test_the_longest_query_is_answered_quickly(kind: str) -> None:
    """Whatever it consists of."""
    pages = PageReader(FakeStore(), FakeCache(), FakeStore())
    client = reader(list_highlights, pages)
    query = QUERIES[kind][:MAX_LENGTH]
    response, seconds = price(lambda: client.get(f"/highlights?{query}"))
    assert response.status_code in (200, 400)
    assert len(response.content) < 16 * KIB
    assert seconds < 0.05


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("If-None-Match", '"x",' * 16_000),
        ("X-Forwarded-For", "10.0.0.1," * 7_000),
        ("X-Forwarded-For", "x" * 64_000),
        ("Authorization", "Bearer " + "x" * 64_000),
        ("traceparent", LONG_TRACE + "-" * 64_000),
        ("Idempotency-Key", "x" * 64_000),
        ("Content-Encoding", "gzip," * 12_000),
        ("Content-Length", "0" * 64_000 + "2"),
        ("Content-Type", "application/" + ";" * 64_000),
    ],
)
def test_the_longest_header_is_answered_quickly(name: str, value: str) -> None:
    """By a function that writes, and by two that read."""
    store = FakeStore()
    pages = PageReader(store, FakeCache(), store)
    requests: list[Callable[[], httpx.Response]] = [
        lambda: ingest().post(
            "/events", content=b"{}", headers={"Content-Type": "application/json"} | {name: value}
        ),
        lambda: reader(list_highlights, pages).get("/highlights", headers={name: value}),
        lambda: reader(get_highlight, store).get("/highlights/x", headers={name: value}),
    ]
    for request in requests:
        response, seconds = price(request)
        assert response.status_code < 500
        assert seconds < 0.1
