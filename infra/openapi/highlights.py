"""The OpenAPI document of the service that returns highlights."""

from functions.list_highlights.query import PAGE_SIZE, PAGE_SIZE_LIMIT
from functions.shared.contract.highlight import SHOWN_STATUSES
from infra.openapi import examples, parts
from infra.openapi.parts import Json, header, problems, reference, response
from infra.openapi.response_models import Highlight


def document() -> Json:
    """Return the document."""
    return parts.document(
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
                        "200": response(
                            "A page of highlights",
                            {"type": "array", "items": reference(Highlight)},
                            {
                                **_ETAG,
                                **_CACHE,
                                "Link": header('The next page, as `<…>; rel="next"`'),
                            },
                            example=[examples.HIGHLIGHT],
                        ),
                        "304": {"description": "The page is as the reader has it"},
                        **problems(400, 401, 429, 431, 503),
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
                        "200": response(
                            "The highlight", reference(Highlight), _ETAG, example=examples.HIGHLIGHT
                        ),
                        "304": {"description": "The highlight is as the reader has it"},
                        **problems(401, 404, 429, 431, 503),
                    },
                }
            },
        },
        [Highlight],
    )


def _parameter(name: str, description: str, **schema: object) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


_CACHE = {"X-Cache": header("Of a page that may be cached: hit or miss")}
_ETAG = {"ETag": header("Names this representation, for If-None-Match")}
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
