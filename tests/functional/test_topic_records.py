"""The records on the topics are as the AsyncAPI document says."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
import pytest
from hypothesis import given

from functions.consume_goal.consume import EventConsumer
from functions.ingest_event.app import build_app as ingest_event
from functions.shared.contract.topics import DEAD_LETTERS, MATCH_EVENTS
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.kafka.publisher import Record as PublishedRecord
from infra.openapi import examples
from local.kafka_trigger.commands.dead_letters.markers import RESOLUTIONS, marker_record
from local.kafka_trigger.commands.dead_letters.stored_dead_letter import ADDED_HEADERS, REDRIVES
from local.kafka_trigger.delivering.classify_response import classify_response
from local.kafka_trigger.delivering.dead_letter import DeadLetter, dead_letter_headers
from local.kafka_trigger.delivering.dead_letter_size import SMALLER, WHOLE, DeadLetterSize
from local.kafka_trigger.delivering.transport import HttpResponse
from local.kafka_trigger.record import Record
from tests.support.asyncapi import DOCUMENT, MESSAGES, errors, text, topic_of, violations
from tests.support.builders.dead_letters import NOW, dead_letter_of, dead_letter_record, index_of
from tests.support.builders.deliveries import TRACE, Functions, goal_record, post, request_of
from tests.support.builders.events import complete_event, event_json, events_json, identified
from tests.support.builders.lambda_dead_letters import (
    lambda_dead_letter,
    payload_record,
    without_payload,
)
from tests.support.builders.records import record
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeCache, FakePublisher, FakeStore


def published_by(*events: Mapping[str, Any]) -> list[PublishedRecord]:
    """Return the records that ingest-event publishes of posted events."""
    publisher = FakePublisher()
    for event in events:
        answer = Client(ingest_event(lambda: publisher, RULES)).post("/events", json=event)
        assert answer.status_code == 202, answer.text
    return publisher.published


def consumed(record: Record) -> DeadLetter:
    """Return the dead letter of a record that consume-goal rejects in a batch."""
    answer = post(Functions().consume_goal, request_of("cloudevents-batch", record))
    response = HttpResponse(answer.status_code, answer.content)
    (failure,) = classify_response(response, [record]).failures.values()
    return DeadLetter(record, response.status, 1, failure.detail, "refused")


@given(event=events_json())
def test_every_record_of_an_event_is_as_documented(event: dict[str, Any]) -> None:
    """Key, headers and value, whatever a feed posts."""
    (published,) = published_by(event)
    assert published.topic == MATCH_EVENTS
    _, key, value, headers = published
    assert violations("matchEvent", key, headers.items(), value) == {}


def test_every_field_of_an_event_is_in_the_document() -> None:
    """A record with all of them has no other."""
    (published,) = published_by(complete_event())
    payload = json.loads(published.value)
    schema = DOCUMENT["components"]["schemas"]["IdentifiedEvent"]
    assert payload.keys() == schema["properties"].keys()
    assert schema["required"] == ["matchId", "occurredAt", "eventType", "eventId"]


def test_the_record_of_the_example_is_the_example() -> None:
    """All but its trace."""
    (published,) = published_by(examples.GOAL)
    (example,) = MESSAGES["matchEvent"]["examples"]
    trace = {"traceparent": published.headers["traceparent"]}
    assert example["headers"] | trace == published.headers
    assert example["payload"] == json.loads(published.value)


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({"eventId": "goal-1"}, True),
        ({"eventId": "goal-1", "player": None, "eventType": "x" * 256, "newer": 1}, True),
        ({}, False),
        ({"eventId": None}, False),
        ({"eventId": "goal-1", "eventType": "x" * 257}, False),
        ({"eventId": "goal-1", "minute": 151}, False),
        ({"eventId": "goal-1", "matchId": 1}, False),
        ({"eventId": "goal-1", "period": "third_half"}, False),
        ({"eventId": "goal-1", "metadata": []}, False),
    ],
)
def test_the_document_and_the_consumer_accept_the_same_values(
    fields: dict[str, Any], valid: bool
) -> None:
    """What a newer release adds is ignored; what is not valid becomes a dead letter."""
    event = event_json(**fields)
    assert (errors(MESSAGES["matchEvent"]["payload"], event) == []) is valid
    consumer = EventConsumer(FakeStore(), FakeCache(), FakePublisher(), RULES)
    rejected = asyncio.run(consumer.consume([ReceivedRecord(event, TRACE, None)]))
    assert (rejected == []) is valid


def test_the_record_that_announces_highlights_is_as_documented() -> None:
    """With the trace of its batch."""
    publisher = FakePublisher()
    consumer = EventConsumer(FakeStore(), FakeCache(), publisher, RULES)
    goals = [orjson.loads(identified(eventId=f"goal-{number}").to_json()) for number in (1, 2)]
    asyncio.run(consumer.consume([ReceivedRecord(goal, TRACE, None) for goal in goals]))
    (announced,) = publisher.announced
    assert topic_of("announceHighlights") == announced.topic
    _, key, value, headers = announced
    assert violations("highlightsPending", key, headers.items(), value) == {}
    assert len(json.loads(value)["highlightIds"]) == 2


def test_the_dead_letter_of_the_example_is_the_example() -> None:
    """As the trigger writes it when consume-goal rejects that record."""
    (example,) = MESSAGES["deadLetter"]["examples"]
    own = {name: text.encode() for name, text in example["headers"].items() if "dlq_" not in name}
    rejected = record(
        7, json.dumps(example["payload"]).encode(),
        topic=MATCH_EVENTS, partition=3, key=own["ce_subject"], headers=[*own.items()],
    )  # fmt: skip
    moment = datetime.fromisoformat(example["headers"]["dlq_time"])
    headers = dead_letter_headers(consumed(rejected), "consume-goal", moment)
    assert {name: text(content) for name, content in headers} == example["headers"]


@pytest.mark.parametrize("value", [b"\xff\x00", b"", b"{}", None])
@pytest.mark.parametrize("size", [WHOLE, *SMALLER], ids=lambda size: size.omits or "nothing")
def test_every_dead_letter_is_as_documented(value: bytes | None, size: DeadLetterSize) -> None:
    """Whole, or with less of its record."""
    original = goal_record(value=value, partition=2)
    letter = dead_letter_of(original, 0, size=size)
    headers = [*(letter.headers() or ())]
    assert violations("deadLetter", letter.key(), headers, b"null") == {}


def test_the_headers_that_a_dead_letter_adds_are_in_the_document() -> None:
    """And no others; the count of redrives is on the record that is sent again."""
    documented = {*MESSAGES["deadLetter"]["headers"]["properties"]}
    assert documented == ADDED_HEADERS - {REDRIVES}
    again = MESSAGES["matchEvent"]["headers"]["properties"]
    assert {name for name in again if name.startswith("dlq_")} == {REDRIVES}


@pytest.mark.parametrize("resolution", RESOLUTIONS.values())
def test_a_marker_is_as_documented(resolution: Any) -> None:
    """Its key, header and value name the dead letter."""
    (stored,) = index_of(dead_letter_record(7, 3)).open()
    marker = marker_record(stored, DEAD_LETTERS, resolution, NOW)
    assert violations("deadLetterMarker", marker.key, marker.headers, marker.value or b"") == {}
    assert violations("deadLetterMarker", marker.key, [("dlq_gone", b"0:3")], marker.value or b"")


@pytest.mark.parametrize(
    "value",
    [
        lambda_dead_letter(payload_record(7)),
        without_payload(
            lambda_dead_letter(payload_record(7)),
            recordsInfo={"match-events-0": {"firstRecordOffset": "7", "lastRecordOffset": "8"}},
        ),
    ],
)
def test_a_dead_letter_of_lambda_is_as_documented(value: bytes) -> None:
    """With its records, or with their offsets alone."""
    assert violations("lambdaDeadLetter", None, [], value) == {}
    assert violations("lambdaDeadLetter", None, [], b'{"payload": {}}')
