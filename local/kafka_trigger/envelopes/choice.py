"""Which envelope a trigger puts its records into."""

from collections.abc import Callable, Sequence
from typing import Literal

from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.envelopes.binary import cloudevents_binary
from local.kafka_trigger.envelopes.json_events import cloudevents_batch, cloudevents_structured
from local.kafka_trigger.envelopes.lambda_event import LambdaEvent
from local.kafka_trigger.envelopes.payload import Payload

Envelope = Literal["cloudevents-batch", "cloudevents-structured", "cloudevents-binary", "lambda"]
Encode = Callable[[Sequence[Record]], Payload]

OF_ONE_RECORD: tuple[Envelope, ...] = ("cloudevents-structured", "cloudevents-binary")


def encoder(envelope: Envelope, bootstrap_servers: str) -> Encode:
    """What encodes records in this envelope; `bootstrap_servers` is told where it has a place."""
    match envelope:
        case "cloudevents-batch":
            return cloudevents_batch
        case "cloudevents-structured":
            return cloudevents_structured
        case "cloudevents-binary":
            return cloudevents_binary
        case "lambda":
            return LambdaEvent(bootstrap_servers)
