"""The choice of a trigger's envelope."""

from collections.abc import Callable, Sequence
from typing import Literal

from local.kafka_trigger.envelopes.binary import cloudevents_binary
from local.kafka_trigger.envelopes.json_events import cloudevents_batch, cloudevents_structured
from local.kafka_trigger.envelopes.lambda_event import LambdaEvent
from local.kafka_trigger.envelopes.payload import Payload
from local.kafka_trigger.record import Record

Envelope = Literal["cloudevents-batch", "cloudevents-structured", "cloudevents-binary", "lambda"]
Encoder = Callable[[Sequence[Record]], Payload]

SINGLE_RECORD: tuple[Envelope, ...] = ("cloudevents-structured", "cloudevents-binary")


def encoder_for(envelope: Envelope, bootstrap_servers: str) -> Encoder:
    """Return the encoder of an envelope; `bootstrap_servers` is part of Lambda's events."""
    match envelope:
        case "cloudevents-batch":
            return cloudevents_batch
        case "cloudevents-structured":
            return cloudevents_structured
        case "cloudevents-binary":
            return cloudevents_binary
        case "lambda":
            return LambdaEvent(bootstrap_servers)
