"""Events that bring work: Kafka records and schedules. What is not taken is raised.

An event source mapping reads of an answer only which records failed. It knows no record that is
refused for good, as the local trigger does: Lambda brings each that is named here again, and what
follows it in its partition, until its retries or its age are over, and then hands it to the
on-failure destination. To take a record twice is harmless.

https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
"""

from collections.abc import Mapping
from typing import Any

import orjson

from functions.shared.inbound.lambda_event import is_lambda_event as is_kafka_event
from infra.aws.asgi import Answer, Call

QUOTED = 500  # characters of a refusal that are told on

__all__ = ["NotTaken", "call_of", "is_kafka_event", "is_schedule_event", "outcome_of", "result_of"]


class NotTaken(Exception):
    """The function did not take the event; Lambda is to bring it again."""


def is_schedule_event(event: Mapping[str, Any]) -> bool:
    """Whether it is of an EventBridge rule or of EventBridge Scheduler."""
    return event.get("detail-type") == "Scheduled Event"


def call_of(event: Mapping[str, Any], traceparent: str | None) -> Call:
    """The request that brings the event to the function, whole."""
    headers = [(b"content-type", b"application/json")]
    if traceparent:
        headers.append((b"traceparent", traceparent.encode()))
    return Call("POST", "/", headers, orjson.dumps(event))


def outcome_of(answer: Answer) -> Any:
    """What the function says in JSON of an event that it took.

    Raises:
        NotTaken: it answers with anything but a 2xx.
    """
    if not 200 <= answer.status < 300:
        said = answer.body.decode(errors="replace")[:QUOTED]
        raise NotTaken(f"HTTP {answer.status}: {said}")
    return orjson.loads(answer.body) if answer.body else None


def result_of(answer: Answer) -> dict[str, Any]:
    """The records that failed, in the form of ReportBatchItemFailures; none if all are taken.

    All are named: should Lambda bring only these again, none is missing, and should it go on from
    the first in each partition, the others say nothing new.

    Raises:
        NotTaken: the whole event is to come again.
    """
    outcome = outcome_of(answer)
    failures = outcome.get("batchItemFailures", []) if isinstance(outcome, dict) else []
    return {
        "batchItemFailures": [{"itemIdentifier": failure["itemIdentifier"]} for failure in failures]
    }
