"""The messages of the topics `match-events` and `highlights-pending`."""

import json
from typing import Final

from functions.ingest_event.ingest import receipt_of, record_of
from functions.shared.contract.event import Event, IdentifiedEvent
from infra.openapi import examples
from infra.openapi.schemas import Json, reference

TRACE: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE_ID: Json = {
    "description": "The trace id is the same from the request that posted the event to its row.",
    "location": "$message.header#/traceparent",
}
TRACE_HEADER: Json = {
    "type": "string",
    "pattern": r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$",
    "description": "W3C trace context",
}
UUID_KEY: Json = {"type": "string", "format": "uuid", "description": "The matchId"}


def message(title: str, summary: str, key: Json, headers: Json, **members: object) -> Json:
    """Return a message whose headers, by name, are texts in UTF-8; `members` are its others."""
    return {
        "title": title,
        "summary": summary,
        "headers": headers,
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
        **members,
    }


def headers_of(properties: Json, **more: object) -> Json:
    """Return the schema of headers."""
    return {"type": "object", "properties": properties, **more}


_HEADERS: Json = {
    "ce_specversion": {"type": "string", "const": "1.0"},
    "ce_id": {
        "type": "string",
        "description": "`matchId/eventId/revision`, and `-retracted` if the event is",
    },
    "ce_source": {"type": "string", "const": "/ingest-event"},
    "ce_type": {"type": "string", "const": "goalstream.match-event"},
    "ce_subject": {"type": "string", "format": "uuid", "description": "The matchId"},
    "ce_time": {"type": "string", "format": "date-time", "description": "The occurredAt"},
    "content-type": {"type": "string", "const": "application/json"},
    "traceparent": TRACE_HEADER,
}
_REDRIVES: Json = {
    "type": "string",
    "pattern": "^[0-9]+$",
    "description": "How often it was a dead letter that was sent again, if it was",
}
_EVENT = Event.model_validate(examples.GOAL)
_RECORD = record_of(_EVENT, receipt_of(_EVENT, examples.RULES), TRACE)

MESSAGES: Final[Json] = {
    "matchEvent": message(
        "MatchEvent",
        "A match event that `ingest-event` accepted",
        UUID_KEY,
        headers_of({**_HEADERS, "dlq_redrives": _REDRIVES}, required=list(_HEADERS)),
        contentType="application/json",
        correlationId=TRACE_ID,
        payload=reference(IdentifiedEvent),
        examples=[
            {
                "name": "goal",
                "summary": "A goal; its key is the matchId",
                "headers": dict(_RECORD.headers),
                "payload": json.loads(_RECORD.value),
            }
        ],
    ),
    "highlightsPending": message(
        "HighlightsPending",
        "Highlights that wait for their text",
        {**UUID_KEY, "description": "The matchId of the first event of the batch"},
        headers_of({"traceparent": TRACE_HEADER}),
        contentType="application/json",
        correlationId=TRACE_ID,
        payload={
            "type": "object",
            "properties": {
                "highlightIds": {
                    "type": "array",
                    "items": {"type": "string", "format": "uuid"},
                    "minItems": 1,
                }
            },
            "required": ["highlightIds"],
            "additionalProperties": False,
        },
        examples=[
            {
                "name": "goal",
                "summary": "The highlight of a goal",
                "headers": {"traceparent": TRACE},
                "payload": {"highlightIds": [examples.ACCEPTED["highlightId"]]},
            }
        ],
    ),
}
