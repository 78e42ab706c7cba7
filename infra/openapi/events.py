"""The OpenAPI document of the service that accepts events."""

from functions.ingest_event.idempotency_key import INDEX_SEPARATOR, KEY_LIMIT
from functions.shared.contract.event import Event
from infra.openapi import examples, parts, problems
from infra.openapi.parts import response
from infra.openapi.response_models import Accepted, BatchAccepted
from infra.openapi.schemas import Json, reference

NO_CONTROL_CHARACTER = r"[^\x00-\x1f\x7f-\x9f]"
NO_ITEM_OF_A_BATCH = rf"(?!.*{INDEX_SEPARATOR}\d+\s*$)"


def document() -> Json:
    """Return the document."""
    return parts.document(
        "GoalStream events",
        {"name": "events", "description": "What happens in a match"},
        "Match events in. A 202 means that the broker has acknowledged the event; nothing else"
        " does.",
        {
            "/events": {
                "post": {
                    "operationId": "ingestEvent",
                    "tags": ["events"],
                    "summary": "Accept one match event",
                    "parameters": [_idempotency_key(NO_ITEM_OF_A_BATCH)],
                    "requestBody": _body(reference(Event), examples=examples.EVENTS),
                    "responses": {
                        "202": response(
                            "Acknowledged by the broker",
                            reference(Accepted),
                            {"Location": f"/highlights/{examples.ACCEPTED['highlightId']}"},
                            example=examples.ACCEPTED,
                        ),
                        **problems.problems(problems.EVENT),
                    },
                }
            },
            "/events/batch": {
                "post": {
                    "operationId": "ingestEventBatch",
                    "tags": ["events"],
                    "summary": "Accept up to 500 match events, all or none",
                    "parameters": [_idempotency_key()],
                    "requestBody": _body(
                        {
                            "type": "array",
                            "items": reference(Event),
                            "minItems": 1,
                            "maxItems": 500,
                        },
                        example=examples.BATCH,
                    ),
                    "responses": {
                        "202": response(
                            "Acknowledged by the broker",
                            reference(BatchAccepted),
                            example=examples.BATCH_ACCEPTED,
                        ),
                        **problems.problems(problems.BATCH),
                    },
                }
            },
        },
        [Event, Accepted, BatchAccepted],
    )


def _body(schema: Json, **example: object) -> Json:
    content = {"schema": schema, **example}
    return {"required": True, "description": _BODY, "content": {"application/json": content}}


def _idempotency_key(exclusion: str = "") -> Json:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "In UTF-8: the eventId of an event that has none; makes a retry harmless.",
        "schema": {
            "type": "string",
            "maxLength": KEY_LIMIT,
            "pattern": f"^{exclusion}{NO_CONTROL_CHARACTER}*$",
        },
    }


_BODY = "As it is, or gzipped with `Content-Encoding: gzip`."
