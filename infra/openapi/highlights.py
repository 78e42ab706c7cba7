"""The OpenAPI document of the service that returns highlights."""

from functions.list_highlights.query import PAGE_SIZE, PAGE_SIZE_LIMIT
from infra.openapi import examples, parts, problems
from infra.openapi.parts import described, response
from infra.openapi.response_models import Highlight, Match, Status
from infra.openapi.schemas import Json, reference


def document() -> Json:
    """Return the document."""
    return parts.document(
        "GoalStream highlights",
        {"name": "highlights", "description": "What was worth seeing"},
        "Highlights out: newest first, or in the order in which they changed.",
        {
            "/highlights": {"get": _LIST_HIGHLIGHTS},
            "/highlights/{id}": {"get": _GET_HIGHLIGHT},
            "/matches": {"get": _LIST_MATCHES},
        },
        [Highlight, Match],
    )


def _parameter(name: str, description: str, **schema: object) -> Json:
    """Return a parameter without an example, which Swagger's form would send with every request."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _not_modified(what: str) -> Json:
    return {
        "description": f"The {what} is as the reader has it",
        "headers": described(_CACHED),
    }


_CACHED = {"ETag": '"d0f2b0d6a3f3d3a9c1b6f4e2"', "Cache-Control": "no-cache"}
_CURSOR = "MjAyMi0xMi0xOFQxODozNjowMFovNmQ1"
_NEXT = f'<?cursor={_CURSOR}>; rel="next"'
_TEXT: Json = {"type": "string", "pattern": r"^[^\x00]*$"}
_IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of an earlier answer; 304 if nothing has changed since",
    "schema": {"type": "string"},
}
_MATCH_ID = _parameter("matchId", "Of this match", type="string", format="uuid")
_TEAM = _parameter("team", "By this side: home, away or a team's name in any case", **_TEXT)
_EVENT_TYPE = _parameter(
    "eventType", "Of this type, in any spelling that an event may have", **_TEXT
)
_PAGE_SIZE = _parameter(
    "pageSize",
    f"How many: out of range, 1 or {PAGE_SIZE_LIMIT}",
    type="integer",
    default=PAGE_SIZE,
)
_CURSOR_PARAMETER = _parameter(
    "cursor",
    "Where an earlier answer's Link left off: for programs",
    type="string",
    format="cursor",
    minLength=1,
)
_LIST_HIGHLIGHTS: Json = {
    "operationId": "listHighlights",
    "tags": ["highlights"],
    "summary": "List highlights, newest first, or those that changed",
    "description": "Newest first by (occurredAt, id); `Link` has `next`, the next page, and"
    " `changes`, what changes from now on. With `changedSince` the oldest change comes first, each"
    " highlight once as it is now, retracted ones too: follow `next` at once while there is one,"
    " else ask `changes` again after a while.",
    "parameters": [
        _MATCH_ID,
        {
            "name": "status",
            "in": "query",
            "description": "In this status; without it, all but RETRACTED. In any case.",
            "schema": reference(Status),
        },
        _TEAM,
        _EVENT_TYPE,
        _parameter(
            "updatedSince",
            "Changed at or after",
            type="string",
            format="date-time",
        ),
        _parameter(
            "page",
            "By number, from 1, which is that without it: for people. What lies beyond the first"
            " 10,000 has to be read by cursor",
            type="integer",  # without a default, which clients would send with changedSince
        ),
        _PAGE_SIZE,
        _CURSOR_PARAMETER,
        _parameter(
            "changedSince",
            "The changes after this place of an earlier Link; 0 is the beginning, and empty is now."
            " Not with status, updatedSince, page or cursor.",
            type="string",
            format="change-cursor",
        ),
        _IF_NONE_MATCH,
    ],
    "responses": {
        "200": response(
            "A page of highlights, or of changes",
            {"type": "array", "items": reference(Highlight)},
            {**_CACHED, "Link": f"{_NEXT}, {examples.CHANGES_LINK}"},
            examples={
                "page": {"summary": "The newest", "value": [examples.HIGHLIGHT]},
                "nothing": {"summary": "No change since `changedSince`", "value": []},
            },
        ),
        "304": _not_modified("page"),
        **problems.problems(problems.LIST),
    },
}
_GET_HIGHLIGHT: Json = {
    "operationId": "getHighlight",
    "tags": ["highlights"],
    "summary": "Get one highlight, in any status",
    "parameters": [
        {
            "name": "id",
            "in": "path",
            "required": True,
            "description": "The highlightId of the event's receipt",
            "schema": {"type": "string", "format": "uuid"},
            "example": examples.ACCEPTED["highlightId"],
        },
        _IF_NONE_MATCH,
    ],
    "responses": {
        "200": response("The highlight", reference(Highlight), _CACHED, example=examples.HIGHLIGHT),
        "304": _not_modified("highlight"),
        **problems.problems(problems.HIGHLIGHT),
    },
}
_LIST_MATCHES: Json = {
    "operationId": "listMatches",
    "tags": ["highlights"],
    "summary": "List matches with their scores, that with the latest highlight first",
    "parameters": [_MATCH_ID, _PAGE_SIZE, _CURSOR_PARAMETER, _IF_NONE_MATCH],
    "responses": {
        "200": response(
            "A page of matches",
            {"type": "array", "items": reference(Match)},
            {**_CACHED, "Link": f"{_NEXT}, {examples.CHANGES_LINK.replace('<', '<highlights')}"},
            example=[examples.MATCH],
        ),
        "304": _not_modified("page"),
        **problems.problems(problems.MATCHES),
    },
}
