"""The envelopes, as the libraries that users have make and read them.

The CloudEvents SDK is the 1.12 that functions-framework is pinned to: 2.x has the same package
name without the modules that functions-framework imports, so both cannot be in one environment.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from aws_lambda_powertools.utilities.data_classes import KafkaEvent
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent, from_dict, from_http

from functions.consume_goal.app import app as consume_goal
from functions.consume_goal.consume import Consume, row
from functions.enrich_batch.app import app as enrich_batch
from functions.enrich_batch.enrich import EnrichBatch
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.enrich_batch.template import TemplateEnricher
from functions.shared.deliveries import Delivery
from functions.shared.highlights import PENDING_AI, READY
from functions.shared.settings import load
from local.kafka_trigger.envelopes.choice import OF_ONE_RECORD, Encode, Envelope, encoder
from local.kafka_trigger.envelopes.payload import Payload
from local.kafka_trigger.record import Record
from tests.asgi import Client
from tests.events import MATCH, id_of, identified
from tests.fakes import FakeCache, FakePublisher, FakeStore
from tests.records import TOPIC, record
from tests.revisions import HIGHLIGHT_TYPES

GOAL = id_of(MATCH, "goal-1")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
EVENT: Mapping[str, Any] = json.loads(identified(player="Ángel Di María").to_json())
ATTRIBUTES = {"type": "goalstream.match-event", "source": "/feed", "traceparent": TRACE}
KNATIVE = {
    "type": "dev.knative.kafka.event",
    "source": "/apis/v1/namespaces/default/kafkasources/goals#match-events",
    "subject": "partition:0#7",
    "id": "partition:0/offset:7",
    "key": str(MATCH),
}
Request = tuple[Mapping[str, str], bytes]
Make = Callable[[Any], Request]


class World:
    """Both functions on one store."""

    def __init__(self) -> None:
        self.store = FakeStore()
        consume = Consume(self.store, FakeCache(), FakePublisher(), HIGHLIGHT_TYPES)
        settings = load(EnrichBatchSettings, {"DATABASE_URL": "postgresql://"})
        enrich = EnrichBatch(self.store, FakeCache(), TemplateEnricher(), settings)
        self.consume_goal = Client(consume_goal(lambda: consume))
        self.enrich_batch = Client(enrich_batch(lambda: enrich))

    def await_text(self) -> None:
        """Have one goal that awaits its text."""
        goal = row(identified(), Delivery(None, None, None), HIGHLIGHT_TYPES)
        asyncio.run(self.store.record([goal]))


def post(client: Client, request: Request) -> httpx.Response:
    """Return a function's answer."""
    headers, body = request
    return client.post("/", content=body, headers=dict(headers))


def of_sdk(structured: bool, attributes: Mapping[str, str]) -> Make:
    """What makes a request of data, with the SDK."""

    def make(data: Any) -> Request:
        event = CloudEvent(dict(attributes), data)
        headers, body = to_structured(event) if structured else to_binary(event)
        return headers, body

    return make


def batch_of_sdk(data: Any) -> Request:
    """Make a batch of two, since the SDK makes none: an event that is taken, and this one."""
    place = {"kafkatopic": "match-events", "kafkapartition": "0"}
    events = [
        json.loads(to_structured(CloudEvent({**ATTRIBUTES, **place, "kafkaoffset": at}, each))[1])
        for at, each in (("6", EVENT), ("7", data))
    ]
    return {"content-type": "application/cloudevents-batch+json"}, json.dumps(events).encode()


SINGLE = {
    "structured": of_sdk(True, ATTRIBUTES),
    "binary": of_sdk(False, ATTRIBUTES),
    "binary, with its type": of_sdk(False, {**ATTRIBUTES, "datacontenttype": "application/json"}),
    "Knative's": of_sdk(False, KNATIVE),
}


@pytest.mark.parametrize("make", [*SINGLE.values(), batch_of_sdk], ids=[*SINGLE, "batch"])
def test_consume_goal_takes_what_the_sdk_makes(make: Make) -> None:
    """It becomes a highlight, as if our own trigger had sent it."""
    world = World()
    answer = post(world.consume_goal, make(EVENT))
    assert (answer.status_code, answer.json()) == (200, {"batchItemFailures": []})
    assert world.store.rows[GOAL]["status"] == PENDING_AI
    assert world.store.rows[GOAL]["player"] == "Ángel Di María"


@pytest.mark.parametrize("make", SINGLE.values(), ids=SINGLE)
def test_a_single_event_of_the_sdk_that_is_no_goal_is_a_422(make: Make) -> None:
    """What its sender makes a dead letter of."""
    assert post(World().consume_goal, make({"matchId": "x"})).status_code == 422


def test_a_batch_of_the_sdk_s_events_names_the_one_that_failed() -> None:
    """The other is taken."""
    world = World()
    answer = post(world.consume_goal, batch_of_sdk({"matchId": "x"}))
    [failure] = answer.json()["batchItemFailures"]
    assert failure["itemIdentifier"] == {"partition": "match-events-0", "offset": 7}
    assert GOAL in world.store.rows


@pytest.mark.parametrize("make", [*SINGLE.values(), batch_of_sdk], ids=[*SINGLE, "batch"])
def test_enrich_batch_takes_what_the_sdk_makes(make: Make) -> None:
    """Each says that there may be work."""
    world = World()
    world.await_text()
    assert post(world.enrich_batch, make({"highlightIds": [str(GOAL)]})).status_code == 200
    assert world.store.rows[GOAL]["status"] == READY


def encoding(envelope: Envelope) -> Encode:
    """What the trigger encodes with."""
    return encoder(envelope, "b1:9092,b2:9092")


def goal_record(offset: int = 7, value: bytes | None = None, **more: Any) -> Record:
    """A record as ingest-event writes it."""
    headers = [
        ("ce_id", b"goal-1"),
        ("ce_source", b"/ingest-event"),
        ("ce_specversion", b"1.0"),
        ("ce_type", b"goalstream.match-event"),
        ("content-type", b"application/json"),
        ("traceparent", TRACE.encode()),
    ]
    value = identified().to_json() if value is None else value
    return record(offset, value, **{"headers": headers, "timestamp": (1, 1), **more})


def requested(payload: Payload) -> Request:
    """The request that the trigger sends."""
    content_type = {"content-type": payload.content_type} if payload.content_type else {}
    return {**content_type, **payload.headers}, payload.body


@pytest.mark.parametrize("envelope", OF_ONE_RECORD)
@pytest.mark.parametrize("headers", [{}, {"headers": []}], ids=["with attributes", "without"])
def test_the_sdk_reads_the_single_events_of_the_trigger(
    envelope: Envelope, headers: dict[str, Any]
) -> None:
    """With the attributes and the data of their record."""
    request = requested(encoding(envelope)([goal_record(**headers)]))
    event = from_http(*request)
    assert event.get_data() == json.loads(identified().to_json())
    expected = (
        {"id": "partition:0/offset:7", "source": f"kafka:///{TOPIC}", "type": "kafka.record"}
        if headers
        else {"id": "goal-1", "source": "/ingest-event", "traceparent": TRACE}
    )
    assert event.get_attributes().items() >= {**expected, "partitionkey": "key"}.items()


def test_the_sdk_reads_each_event_of_a_batch() -> None:
    """The SDK knows no batches, so they are given to it one by one."""
    payload = encoding("cloudevents-batch")([goal_record(7), goal_record(8, b"\xff", headers=[])])
    first, second = map(from_dict, json.loads(payload.body))
    assert first.get_data() == json.loads(identified().to_json())
    assert second["id"] == "partition:0/offset:8"


def test_powertools_reads_the_trigger_s_lambda_event() -> None:
    """Every property of its class has what the record has."""
    headers = [("name", "Ángel".encode()), ("plain", b"x")]
    payload = encoding("lambda")([goal_record(7, headers=headers), goal_record(8, b"{}", key=None)])
    event = KafkaEvent(json.loads(payload.body))
    assert (event.event_source, event.event_source_arn) == ("SelfManagedKafka", None)
    assert event.decoded_bootstrap_servers == ["b1:9092", "b2:9092"]
    first, second = event.records
    assert (first.topic, first.partition, first.offset) == (TOPIC, 0, 7)
    assert (first.timestamp, first.timestamp_type) == (1, "CREATE_TIME")
    assert (first.decoded_key, second.decoded_key) == (b"key", None)
    assert first.json_value == json.loads(identified().to_json())
    assert dict(first.decoded_headers) == {"name": "Ángel".encode(), "plain": b"x"}
    assert second.decoded_value == b"{}"


ENVELOPES: list[Envelope] = ["cloudevents-batch", *OF_ONE_RECORD, "lambda"]


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_the_functions_take_what_the_trigger_encodes(envelope: Envelope) -> None:
    """In each of its envelopes, with the trace of the post."""
    world = World()
    request = requested(encoding(envelope)([goal_record()]))
    assert post(world.consume_goal, request).json() == {"batchItemFailures": []}
    assert world.store.rows[GOAL]["traceparent"] == TRACE
    assert post(world.enrich_batch, request).status_code == 200
    assert world.store.rows[GOAL]["status"] == READY


@pytest.mark.parametrize("envelope", ["cloudevents-batch", "lambda"])
def test_a_bad_record_is_named_to_who_sent_it_among_others(envelope: Envelope) -> None:
    """In the form in which AWS Lambda's and our own trigger read it."""
    world = World()
    request = requested(encoding(envelope)([goal_record(7), goal_record(8, b"text")]))
    [failure] = post(world.consume_goal, request).json()["batchItemFailures"]
    assert failure["itemIdentifier"] == {"partition": f"{TOPIC}-0", "offset": 8}
    assert world.store.rows[GOAL]["status"] == PENDING_AI
