"""The envelopes, as AWS Lambda's and functions-framework's libraries read them.

functions-framework hands a `cloud_event` function what the CloudEvents SDK 1.12 reads; the SDK
that other functions have is tried in test_cloudevents_sdk.py.
"""

import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import KafkaEvent
from cloudevents.http import from_http

from functions.shared.contract.highlight import Status
from local.kafka_trigger.envelopes.encoder import SINGLE_RECORD, Envelope
from tests.support.builders.deliveries import TRACE, Functions, goal_record, post, request_of
from tests.support.builders.events import MATCH, id_of, identified
from tests.support.builders.records import TOPIC

GOAL = id_of(MATCH, "goal-1")
ENVELOPES: list[Envelope] = ["cloudevents-batch", *SINGLE_RECORD, "lambda"]


@pytest.mark.parametrize("envelope", SINGLE_RECORD)
@pytest.mark.parametrize("headers", [{}, {"headers": []}], ids=["with attributes", "without"])
def test_the_sdk_of_functions_framework_parses_single_events(
    envelope: Envelope, headers: dict[str, Any]
) -> None:
    """With the attributes and the data of their record."""
    event = from_http(*request_of(envelope, goal_record(**headers)))
    assert event.get_data() == json.loads(identified().to_json())
    expected = (
        {"id": "partition:0/offset:7", "source": f"kafka:///{TOPIC}", "type": "kafka.record"}
        if headers
        else {"id": "goal-1", "source": "/ingest-event", "traceparent": TRACE}
    )
    assert event.get_attributes().items() >= {**expected, "partitionkey": "key"}.items()


def test_powertools_parses_the_lambda_event_of_the_trigger() -> None:
    """Every property of its class has the value of the record."""
    headers = [("name", "Ángel".encode()), ("plain", b"x")]
    two = goal_record(7, headers=headers), goal_record(8, b"{}", key=None)
    event = KafkaEvent(json.loads(request_of("lambda", *two)[1]))
    assert (event.event_source, event.event_source_arn) == ("SelfManagedKafka", None)
    assert event.decoded_bootstrap_servers == ["b1:9092", "b2:9092"]
    first, second = event.records
    assert (first.topic, first.partition, first.offset) == (TOPIC, 0, 7)
    assert (first.timestamp, first.timestamp_type) == (1, "CREATE_TIME")
    assert (first.decoded_key, second.decoded_key) == (b"key", None)
    assert first.json_value == json.loads(identified().to_json())
    assert dict(first.decoded_headers) == {"name": "Ángel".encode(), "plain": b"x"}
    assert second.decoded_value == b"{}"


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_the_functions_accept_the_envelopes_of_the_trigger(envelope: Envelope) -> None:
    """Each of them, with the trace of the post."""
    functions = Functions()
    request = request_of(envelope, goal_record())
    assert post(functions.consume_goal, request).json() == {"batchItemFailures": []}
    assert functions.store.rows[GOAL]["traceparent"] == TRACE
    assert post(functions.enrich_batch, request).status_code == 200
    assert functions.store.rows[GOAL]["status"] == Status.READY


@pytest.mark.parametrize("envelope", ["cloudevents-batch", "lambda"])
def test_a_batch_response_lists_the_invalid_record(envelope: Envelope) -> None:
    """In the form in which AWS Lambda's and our own trigger read it."""
    functions = Functions()
    request = request_of(envelope, goal_record(7), goal_record(8, b"text"))
    [failure] = post(functions.consume_goal, request).json()["batchItemFailures"]
    assert failure["itemIdentifier"] == {"partition": f"{TOPIC}-0", "offset": 8}
    assert functions.store.rows[GOAL]["status"] == Status.PENDING_AI
