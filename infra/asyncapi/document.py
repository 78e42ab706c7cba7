"""The AsyncAPI document: the topics as channels, and which function sends or receives what."""

from collections.abc import Iterable

from functions.shared.contract.event import IdentifiedEvent
from functions.shared.contract.topics import DEAD_LETTERS, HIGHLIGHTS_PENDING, MATCH_EVENTS
from infra.asyncapi import dead_letters, messages
from infra.openapi.schemas import Json, schemas
from infra.topics import PARTITIONS, RETENTION_MS, TopicsSettings

BINDING = {"bindingVersion": "0.5.0"}


def document() -> Json:
    """Return the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "GoalStream topics",
            "version": "1",
            "description": "The records between the functions. Those who send events post them to"
            " `ingest-event` instead, as GoalStream events (OpenAPI) says.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": _SERVER},
        "channels": {
            "matchEvents": _channel(
                MATCH_EVENTS,
                "Accepted match events; those of one match are in order, in one partition.",
                ["matchEvent"],
            ),
            "highlightsPending": _channel(
                HIGHLIGHTS_PENDING,
                "Wakes `enrich-batch`, which takes what is pending from the table: a record that"
                " is lost delays a highlight until cron's next call, and loses none.",
                ["highlightsPending"],
            ),
            "deadLetters": _channel(
                DEAD_LETTERS,
                "Records of match-events that cannot be processed, and markers of those that"
                " are redriven or discarded.",
                ["deadLetter", "lambdaDeadLetter", "deadLetterMarker"],
            ),
        },
        "operations": {
            "ingestEvent": _send("matchEvents", "`ingest-event` publishes what it accepts."),
            "consumeGoal": _receive(
                "matchEvents",
                "`consume-goal` records goals as highlights, and ignores unknown fields.",
                "consume-goal",
            ),
            "announceHighlights": _send(
                "highlightsPending", "`consume-goal` announces new and corrected highlights."
            ),
            "enrichBatch": _receive(
                "highlightsPending",
                "`enrich-batch` is called with the records, and reads none.",
                "enrich-batch",
            ),
            "writeDeadLetter": _send(
                "deadLetters",
                "The Kafka trigger, or AWS Lambda, gives up a record of `consume-goal`.",
                ["deadLetter", "lambdaDeadLetter"],
            ),
            "readDeadLetters": _receive(
                "deadLetters", "`dlq` lists, redrives and discards dead letters; it has no group."
            ),
            "resolveDeadLetter": _send(
                "deadLetters",
                "`dlq` marks a dead letter that it has redriven or discarded.",
                ["deadLetterMarker"],
            ),
        },
        "components": {
            "messages": {**messages.MESSAGES, **dead_letters.MESSAGES},
            "schemas": schemas([IdentifiedEvent]),
        },
    }


def _channel(topic: str, description: str, names: Iterable[str]) -> Json:
    return {
        "address": topic,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": PARTITIONS[topic],
                "replicas": TopicsSettings.model_fields["kafka_replication_factor"].default,
                "topicConfiguration": {"retention.ms": RETENTION_MS[topic]},
                **BINDING,
            }
        },
    }


def _operation(action: str, channel: str, summary: str) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
    }


def _send(channel: str, summary: str, names: Iterable[str] = ()) -> Json:
    """Return an operation that sends all messages of a channel, or those of these names."""
    chosen = [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]
    return {**_operation("send", channel, summary), **({"messages": chosen} if chosen else {})}


def _receive(channel: str, summary: str, group: str | None = None) -> Json:
    """Return an operation that receives all messages of a channel, by a consumer group if any."""
    operation = _operation("receive", channel, summary)
    if group is None:
        return operation
    group_id = {"type": "string", "enum": [group]}
    return {**operation, "bindings": {"kafka": {"groupId": group_id, **BINDING}}}


_SERVER = {
    "host": "{brokers}",
    "protocol": "kafka",
    "description": "The broker that the functions use.",
    "variables": {
        "brokers": {"default": "localhost:9092", "description": "As in KAFKA_BOOTSTRAP_SERVERS."}
    },
}
