"""The messages of the topic `match-events.dlq`."""

from typing import Final

from infra.asyncapi.messages import MESSAGES as SENT
from infra.asyncapi.messages import headers_of, message
from infra.openapi.schemas import Json

_COUNT: Json = {"type": "string", "pattern": "^[0-9]+$"}
_TIME: Json = {"type": "string", "format": "date-time"}
_ID = r"[0-9]+:[0-9]+(\.[0-9]+)?"
_DEAD_LETTER_ID: Json = {
    "type": "string",
    "pattern": f"^{_ID}$",
    "description": "The dead letter: partition:offset in this topic, and `.n` if it holds several",
}
_RESOLUTIONS = ("redriven", "discarded")
_ONE_MEMBER: Json = {"minProperties": 1, "additionalProperties": False}

_FAILURE: Json = {
    "dlq_topic": {"type": "string", "description": "The record's topic"},
    "dlq_partition": {**_COUNT, "description": "Its partition"},
    "dlq_offset": {**_COUNT, "description": "Its offset"},
    "dlq_trigger": {"type": "string", "description": "The trigger that gave it up"},
    "dlq_status": {
        "type": "string",
        "pattern": "^([0-9]{3}|none)$",
        "description": "The last HTTP status of the function",
    },
    "dlq_attempts": {**_COUNT, "description": "The requests that the record was in"},
    "dlq_error": {"type": "string", "maxLength": 1024, "description": "The last error"},
    "dlq_time": {**_TIME, "description": "When it was given up"},
}
_OMISSION: Json = {
    "dlq_omitted": {
        "type": "string",
        "enum": ["value", "value, long headers", "value, headers", "value, headers, key"],
        "description": "The parts of the record that are left out, since it was too large",
    },
    "dlq_omitted_because": {"type": "string", "description": "The broker's or client's error"},
    "dlq_record_bytes": {**_COUNT, "description": "The bytes of its key, value and headers"},
    "dlq_record_timestamp": {
        "type": "string",
        "pattern": "^-?[0-9]+$",
        "description": "Its time, in milliseconds since 1970",
    },
}
_LAMBDA: Json = {
    "type": "object",
    "properties": {
        "requestContext": {
            "type": "object",
            "properties": {
                "requestId": {"type": "string"},
                "functionArn": {"type": "string"},
                "condition": {"type": "string"},
                "approximateInvokeCount": {"type": "integer"},
            },
            "required": ["functionArn", "condition", "approximateInvokeCount"],
        },
        "responseContext": {
            "type": ["object", "null"],
            "properties": {
                "statusCode": {"type": "integer"},
                "executedVersion": {"type": "string"},
                "functionError": {"type": ["string", "null"]},
            },
        },
        "version": {"type": "string"},
        "timestamp": _TIME,
        "KafkaBatchInfo": {
            "type": "object",
            "description": "Where the records are, if there is no `payload`",
        },
        "payload": {
            "type": ["object", "string"],
            "description": "The records, in the form in which Lambda sends them to a function",
        },
    },
    "required": ["requestContext", "timestamp", "KafkaBatchInfo"],
}
_GOAL = SENT["matchEvent"]["examples"][0]

MESSAGES: Final[Json] = {
    "deadLetter": message(
        "DeadLetter",
        "A record that the Kafka trigger gave up, with the reason in added headers",
        {"description": "The record's own key"},
        headers_of({**_FAILURE, **_OMISSION}, required=list(_FAILURE)),
        contentType="application/octet-stream",
        payload={
            "description": "The record's own value, whatever it is. If `dlq_omitted` names the"
            " value, it is empty here and still at its offset.",
        },
        examples=[
            {
                "name": "refused",
                "summary": "A goal without a time; its own headers come first",
                "headers": {
                    **_GOAL["headers"],
                    "dlq_topic": "match-events",
                    "dlq_partition": "3",
                    "dlq_offset": "7",
                    "dlq_trigger": "consume-goal",
                    "dlq_status": "200",
                    "dlq_attempts": "1",
                    "dlq_error": "occurredAt: Field required",
                    "dlq_time": "2022-12-18T18:36:01.015+00:00",
                },
                "payload": {
                    name: value for name, value in _GOAL["payload"].items() if name != "occurredAt"
                },
            }
        ],
    ),
    "lambdaDeadLetter": message(
        "LambdaDeadLetter",
        "One record or several that AWS Lambda's event source mapping gave up",
        {"description": "Lambda's own"},
        headers_of({}),
        contentType="application/json",
        payload=_LAMBDA,
        externalDocs={
            "url": "https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html"
        },
    ),
    "deadLetterMarker": message(
        "DeadLetterMarker",
        "Says that a dead letter of its partition is redriven or discarded",
        {"type": "string", "pattern": f"^dlq_(redriven|discarded) {_ID}$"},
        headers_of({f"dlq_{name}": _DEAD_LETTER_ID for name in _RESOLUTIONS}, **_ONE_MEMBER),
        contentType="application/json",
        payload={
            "type": "object",
            "properties": {"time": _TIME} | dict.fromkeys(_RESOLUTIONS, _DEAD_LETTER_ID),
            "required": ["time"],
            "minProperties": 2,
            "maxProperties": 2,
        },
        examples=[
            {
                "name": "redriven",
                "summary": "The first dead letter is sent again",
                "headers": {"dlq_redriven": "0:0"},
                "payload": {"redriven": "0:0", "time": "2022-12-18T19:00:00.000+00:00"},
            }
        ],
    ),
}
