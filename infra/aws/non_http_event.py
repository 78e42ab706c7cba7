"""Events without an HTTP request: Kafka records and schedules. A refused one raises an error.

Lambda reads only the failed records from a function's result. Unlike the local trigger it knows no
record that is refused for good: it retries each failed record, and what follows it in its
partition, until the limit of retries or age, and then sends it to the on-failure destination. To
process a record twice is harmless.

https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
"""

from collections.abc import Mapping
from typing import Any

import orjson

from functions.shared.inbound.lambda_event import is_lambda_event as is_kafka_event
from infra.aws.asgi import AppRequest, AppResponse

QUOTED = 500  # characters of a response that an error quotes

__all__ = [
    "EventNotProcessed", "is_kafka_event", "is_schedule_event", "kafka_result", "response_json",
    "to_request",
]  # fmt: skip


class EventNotProcessed(Exception):
    """The function refused the event; Lambda is to retry it."""


def is_schedule_event(event: Mapping[str, Any]) -> bool:
    """Return whether an event is of an EventBridge rule or of EventBridge Scheduler."""
    return event.get("detail-type") == "Scheduled Event"


def to_request(event: Mapping[str, Any], traceparent: str | None) -> AppRequest:
    """Return the request that sends an event unchanged to the function."""
    headers = [(b"content-type", b"application/json")]
    if traceparent:
        headers.append((b"traceparent", traceparent.encode()))
    return AppRequest("POST", "/", headers, orjson.dumps(event))


def response_json(response: AppResponse) -> Any:
    """Return the JSON of the function's response to an event.

    Raises:
        EventNotProcessed: the status is not 2xx.
    """
    if not 200 <= response.status < 300:
        text = response.body.decode(errors="replace")[:QUOTED]
        raise EventNotProcessed(f"HTTP {response.status}: {text}")
    return orjson.loads(response.body) if response.body else None


def kafka_result(response: AppResponse) -> dict[str, Any]:
    """Return the failed records in the format of ReportBatchItemFailures.

    All are named: if Lambda retries only these, none is missing, and if it retries from the first
    one in each partition on, the others change nothing.

    Raises:
        EventNotProcessed: Lambda is to retry the whole event.
    """
    outcome = response_json(response)
    failures = outcome.get("batchItemFailures", []) if isinstance(outcome, dict) else []
    return {
        "batchItemFailures": [{"itemIdentifier": failure["itemIdentifier"]} for failure in failures]
    }
