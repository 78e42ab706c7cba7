"""The envelopes and the functions, with the CloudEvents SDK that users have: 2.x."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from functions.shared.contract.highlight import Status
from local.kafka_trigger.envelopes.encoder import SINGLE_RECORD, Envelope
from local.kafka_trigger.envelopes.json_events import BATCH, STRUCTURED
from local.kafka_trigger.record import Record
from tests.cloudevents_sdk import sdk
from tests.support.builders.deliveries import (
    TRACE,
    Functions,
    Request,
    goal_record,
    post,
    request_of,
)
from tests.support.builders.events import MATCH, id_of, identified
from tests.support.builders.records import TOPIC

Make = Callable[[Any], Request]

GOAL = id_of(MATCH, "goal-1")
EVENT: Mapping[str, Any] = json.loads(identified(player="Ángel Di María").to_json())
ATTRIBUTES = {"type": "goalstream.match-event", "source": "/feed", "traceparent": TRACE}
KNATIVE = {
    "type": "dev.knative.kafka.event",
    "source": "/apis/v1/namespaces/default/kafkasources/goals#match-events",
    "subject": "partition:0#7",
    "id": "partition:0/offset:7",
    "key": str(MATCH),
}
CLOUDEVENTS: list[Envelope] = ["cloudevents-batch", *SINGLE_RECORD]


def batch(data: Any) -> Request:
    """Return a batch, which the SDK cannot make, of a valid event and this one."""
    common = {**ATTRIBUTES, "kafkatopic": "match-events", "kafkapartition": "0"}
    events = [
        json.loads(sdk.structured({**common, "kafkaoffset": offset}, each)[1])
        for offset, each in (("6", EVENT), ("7", data))
    ]
    return {"content-type": BATCH}, json.dumps(events).encode()


SINGLE: dict[str, Make] = {
    "structured": partial(sdk.structured, ATTRIBUTES),
    "binary": partial(sdk.binary, ATTRIBUTES),
    "typed": partial(sdk.binary, {**ATTRIBUTES, "datacontenttype": "application/json"}),
    "Knative's": partial(sdk.binary, KNATIVE),
}
ALL = {**SINGLE, "batch": batch}


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_consume_goal_accepts_events_of_the_sdk(make: Make) -> None:
    """They make a highlight, as those of our own trigger."""
    functions = Functions()
    response = post(functions.consume_goal, make(EVENT))
    assert (response.status_code, response.json()) == (200, {"batchItemFailures": []})
    assert functions.store.rows[GOAL]["status"] == Status.PENDING_AI
    assert functions.store.rows[GOAL]["player"] == "Ángel Di María"


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_enrich_batch_accepts_events_of_the_sdk(make: Make) -> None:
    """Each starts a run."""
    functions = Functions()
    functions.await_text()
    assert post(functions.enrich_batch, make({"highlightIds": [str(GOAL)]})).status_code == 200
    assert functions.store.rows[GOAL]["status"] == Status.READY


@pytest.mark.parametrize("make", SINGLE.values(), ids=SINGLE)
def test_an_invalid_single_event_of_the_sdk_is_a_422(make: Make) -> None:
    """Its sender then writes a dead letter."""
    assert post(Functions().consume_goal, make({"matchId": "x"})).status_code == 422


def test_a_batch_response_lists_the_invalid_event_of_the_sdk() -> None:
    """The other event is recorded."""
    functions = Functions()
    [failure] = post(functions.consume_goal, batch({"matchId": "x"})).json()["batchItemFailures"]
    assert failure["itemIdentifier"] == {"partition": "match-events-0", "offset": 7}
    assert GOAL in functions.store.rows


def parse_batch(envelope: Envelope, *records: Record) -> list[sdk.Event]:
    """Parse the trigger's request of these records with the SDK, a batch item by item."""
    headers, body = request_of(envelope, *records)
    if envelope != "cloudevents-batch":
        return [sdk.read((headers, body))]
    assert headers == {"content-type": BATCH}
    items = [json.dumps(item).encode() for item in json.loads(body)]
    return [sdk.read(({"content-type": STRUCTURED}, item)) for item in items]


@pytest.mark.parametrize("envelope", CLOUDEVENTS)
def test_the_sdk_parses_a_record_with_attributes(envelope: Envelope) -> None:
    """They are those of the event, with the record's key and origin; its value is the data."""
    [event] = parse_batch(envelope, goal_record())
    assert event.data == json.loads(identified().to_json())
    del event.attributes["time"]  # the SDK sets the current time if an event has none
    assert {name: str(value) for name, value in event.attributes.items()} == {
        "specversion": "1.0",
        "id": "goal-1",
        "source": "/ingest-event",
        "type": "goalstream.match-event",
        "datacontenttype": "application/json",
        "traceparent": TRACE,
        "partitionkey": "key",
        "kafkatopic": TOPIC,
        "kafkapartition": "0",
        "kafkaoffset": "7",
    }


@pytest.mark.parametrize("envelope", CLOUDEVENTS)
def test_the_sdk_parses_a_record_without_attributes(envelope: Envelope) -> None:
    """It has those that the trigger adds, and bytes that are no text are unchanged."""
    [event] = parse_batch(envelope, goal_record(value=b"\xff", headers=[]))
    assert event.data == {"base64": "/w=="}
    assert event.attributes.items() >= {
        ("id", "partition:0/offset:7"),
        ("subject", "partition:0/offset:7"),
        ("source", f"kafka:///{TOPIC}"),
        ("type", "kafka.record"),
        ("time", "1970-01-01T00:00:00.001000+00:00"),
    }


def test_the_sdk_parses_each_event_of_a_batch() -> None:
    """In order."""
    events = parse_batch("cloudevents-batch", goal_record(7), goal_record(8, b"{}", headers=[]))
    assert [event.attributes["id"] for event in events] == ["goal-1", "partition:0/offset:8"]
    assert events[1].data == {}


@pytest.mark.parametrize("envelope", CLOUDEVENTS)
def test_an_event_from_the_sdk_arrives_unchanged(envelope: Envelope) -> None:
    """From a producer with the SDK to a function with the SDK, in any characters."""
    attributes = {**ATTRIBUTES, "id": "1", "subject": "Ángel, 100%41", "partitionkey": "élan"}
    [event] = parse_batch(envelope, sdk.kafka_record(attributes, dict(EVENT)))
    assert event.data == EVENT
    assert event.attributes.items() >= attributes.items()
