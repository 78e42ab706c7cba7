"""What the two public services offer, put together from the models and the contract's words."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.ingest_event.idempotency_key import INDEX_SEPARATOR, KEY_LIMIT
from functions.list_highlights.query import PAGE_SIZE, PAGE_SIZE_LIMIT
from functions.shared.contract.event import Event
from functions.shared.contract.highlight import SHOWN_STATUSES
from infra.answers import Accepted, BatchAccepted, Health, Highlight, ProblemDetails
from infra.openapi import examples

Json = dict[str, Any]

NO_CONTROL_CHARACTER = r"[^\x00-\x1f\x7f-\x9f]"
NO_ITEM_OF_A_BATCH = rf"(?!.*{INDEX_SEPARATOR}\d+\s*$)"

MODELS: tuple[type[BaseModel], ...] = (
    Event, Accepted, BatchAccepted, Highlight, ProblemDetails, Health,
)  # fmt: skip


def documents() -> dict[str, Json]:
    """The documents by the names of their files."""
    return {"events.json": _events(), "highlights.json": _highlights()}


def _events() -> Json:
    return _document(
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
                    "requestBody": _body(_ref(Event), examples=examples.EVENTS),
                    "responses": {
                        "202": _json(
                            "Acknowledged by the broker",
                            _ref(Accepted),
                            _LOCATION,
                            example=examples.ACCEPTED,
                        ),
                        **_problems(400, 401, 408, 413, 415, 429, 431, 503),
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
                        {"type": "array", "items": _ref(Event), "minItems": 1, "maxItems": 500},
                        example=examples.BATCH,
                    ),
                    "responses": {
                        "202": _json(
                            "Acknowledged by the broker",
                            _ref(BatchAccepted),
                            example=examples.BATCH_ACCEPTED,
                        ),
                        **_problems(400, 401, 408, 413, 415, 429, 431, 503),
                    },
                }
            },
        },
        Event,
        Accepted,
        BatchAccepted,
    )


def _highlights() -> Json:
    return _document(
        "GoalStream highlights",
        {"name": "highlights", "description": "What was worth seeing"},
        "Highlights out, newest first.",
        {
            "/highlights": {
                "get": {
                    "operationId": "listHighlights",
                    "tags": ["highlights"],
                    "summary": "List highlights, newest first by (occurredAt, id)",
                    "parameters": _FILTERS,
                    "responses": {
                        "200": _json(
                            "A page of highlights",
                            {"type": "array", "items": _ref(Highlight)},
                            {**_ETAG, "Link": _header('The next page, as `<…>; rel="next"`')},
                            example=[examples.HIGHLIGHT],
                        ),
                        "304": {"description": "The page is as the reader has it"},
                        **_problems(400, 401, 429, 431, 503),
                    },
                }
            },
            "/highlights/{id}": {
                "get": {
                    "operationId": "getHighlight",
                    "tags": ["highlights"],
                    "summary": "Get one highlight, in any status",
                    "parameters": [
                        {
                            "name": "id",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string", "format": "uuid"},
                            "example": examples.ACCEPTED["highlightId"],
                        }
                    ],
                    "responses": {
                        "200": _json(
                            "The highlight", _ref(Highlight), _ETAG, example=examples.HIGHLIGHT
                        ),
                        "304": {"description": "The highlight is as the reader has it"},
                        **_problems(401, 404, 429, 431, 503),
                    },
                }
            },
        },
        Highlight,
    )


def _document(
    title: str, tag: Json, description: str, paths: Json, *models: type[BaseModel]
) -> Json:
    health = {
        "operationId": "health",
        "tags": ["service"],
        "summary": "Say that the service is alive",
        "responses": {"200": _json("Alive", _ref(Health))},
        "security": [],
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "description": description, "version": "1"},
        "servers": [{"url": "/"}],
        "tags": [tag, {"name": "service", "description": "How the service is"}],
        "security": [{}, {"apiKey": []}],
        "paths": {**paths, "/health": {"get": health}},
        "components": {
            "schemas": _schemas(*models, ProblemDetails, Health),
            "securitySchemes": {"apiKey": _API_KEY},
        },
    }


def _schemas(*models: type[BaseModel]) -> Json:
    """The models' JSON schemas; an event as it is taken, an answer as it is given."""
    _, schema = models_json_schema(
        [(model, "validation" if model is Event else "serialization") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    schemas: Json = schema["$defs"]
    return dict(sorted(schemas.items()))


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _body(schema: Json, **example: object) -> Json:
    content = {"schema": schema, **example}
    return {"required": True, "description": _BODY, "content": {"application/json": content}}


def _json(description: str, schema: Json, headers: Json | None = None, **example: object) -> Json:
    content = {"application/json": {"schema": schema, **example}}
    answer = {"description": description, "content": content}
    return {**answer, "headers": headers} if headers else answer


def _header(description: str) -> Json:
    return {"description": description, "schema": {"type": "string"}}


def _problems(*statuses: int) -> Json:
    content = {"application/problem+json": {"schema": _ref(ProblemDetails)}}
    answers = {status: {"description": _WHEN[status], "content": content} for status in statuses}
    return {
        str(status): {**answer, "headers": _RETRY[status]} if status in _RETRY else answer
        for status, answer in answers.items()
    }


def _idempotency_key(besides: str = "") -> Json:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "In UTF-8: the eventId of an event that has none; makes a retry harmless.",
        "schema": {
            "type": "string",
            "maxLength": KEY_LIMIT,
            "pattern": f"^{besides}{NO_CONTROL_CHARACTER}*$",
        },
    }


def _parameter(name: str, description: str, **schema: object) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


_WHEN = {
    400: "A field or parameter is refused; `errors` says why",
    401: "The service has API keys, and the request brings none of them",
    404: "There is no such highlight",
    408: "The body does not arrive in time",
    413: "The body, or what it unpacks to, is larger than 64 KiB (a batch: 2 MiB)",
    415: "The body does not call itself JSON, or has another content coding than gzip",
    429: "The caller sends too many requests; try again after `Retry-After`",
    431: "The header is larger than 16 KiB",
    503: "A service behind this one does not answer in time; try again after `Retry-After`",
}
_BODY = "As it is, or gzipped with `Content-Encoding: gzip`."
_API_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "One of the service's API keys, where it has any.",
}
_RETRY = {
    429: {
        "Retry-After": _header("The seconds to wait"),
        "RateLimit": _header("What is left to this caller, and when it is renewed"),
        "RateLimit-Policy": _header("How many requests in how many seconds"),
    },
    503: {"Retry-After": _header("The seconds to wait")},
}
_LOCATION = {"Location": _header("The highlight that the event becomes, if one is expected")}
_ETAG = {"ETag": _header("Names this representation, for If-None-Match")}
_TEXT: Json = {"type": "string", "pattern": r"^[^\x00]*$"}
_FILTERS = [
    _parameter("matchId", "Of this match", type="string", format="uuid"),
    _parameter(
        "status",
        "In this status; without it, all but RETRACTED. In any case.",
        type="string",
        enum=list(SHOWN_STATUSES),
    ),
    _parameter("team", "By this side: home, away or a team's name in any case", **_TEXT),
    _parameter("eventType", "Of this type, in any spelling that an event may have", **_TEXT),
    _parameter("updatedSince", "Changed at or after", type="string", format="date-time"),
    _parameter(
        "page",
        "By number, from 1: for people. What lies beyond the first 10,000 has to be read by cursor",
        type="integer",
        default=1,
    ),
    _parameter(
        "pageSize",
        f"How many: out of range, 1 or {PAGE_SIZE_LIMIT}",
        type="integer",
        default=PAGE_SIZE,
    ),
    _parameter(
        "cursor",
        "Where an earlier answer's Link left off: for programs",
        type="string",
        format="cursor",
        minLength=1,
    ),
]
