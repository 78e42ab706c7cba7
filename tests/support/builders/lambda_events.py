"""The events with which AWS Lambda invokes each function."""

from typing import Any

import httpx
import orjson

from functions.shared.contract.topics import MATCH_EVENTS
from local.kafka_trigger.envelopes.lambda_event import LambdaEvent
from tests.support.builders.events import FIRST_GOAL
from tests.support.builders.records import record
from tests.support.drivers.api_gateway import rest_event_of

SCHEDULE = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-23T09:00:00Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:events:eu-west-1:123456789012:rule/enrich"],
    "detail": {},
}


def http(method: str, path: str, body: bytes = b"") -> dict[str, Any]:
    """The event of an HTTP request, with a JSON body if one is given."""
    headers = {"Content-Type": "application/json"} if body else {}
    return rest_event_of(httpx.Request(method, f"https://api.example{path}", headers=headers), body)


def kafka(*values: bytes) -> dict[str, Any]:
    """The event of Kafka records of one partition."""
    records = [record(offset, value, topic=MATCH_EVENTS) for offset, value in enumerate(values)]
    event: dict[str, Any] = orjson.loads(LambdaEvent("broker:9092")(records).body)
    return event


# One that each function may be woken by.
FIRST = {
    "ingest_event": http("POST", "/events", orjson.dumps(FIRST_GOAL)),
    "consume_goal": kafka(orjson.dumps({**FIRST_GOAL, "eventId": "1"})),
    "enrich_batch": SCHEDULE,
    "list_highlights": http("GET", "/highlights"),
    "get_highlight": http("GET", "/highlights/00000000-0000-0000-0000-00000000dead"),
}
