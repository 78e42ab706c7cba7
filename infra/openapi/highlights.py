"""The OpenAPI document of the service that returns highlights."""

from collections.abc import Mapping

from functions.list_highlights.query import change_link, cursor_of, link
from functions.shared.postgres.highlights import Document
from infra.openapi import examples, parts, problems, stream
from infra.openapi.parameters import (
    ACCEPT_LANGUAGE,
    CURSOR,
    EVENT_TYPE,
    IF_NONE_MATCH,
    LANG,
    LANGUAGE_HEADERS,
    MATCH_ID,
    PAGE_SIZE,
    TEAM,
    parameter,
)
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
            "/highlights/stream": {"get": stream.OPERATION},
            "/matches": {"get": _LIST_MATCHES},
        },
        [Highlight, Match],
    )


def _not_modified(what: str, headers: Mapping[str, str]) -> Json:
    return {
        "description": f"The {what} is as the reader has it",
        "headers": described(headers),
    }


_CACHED = {"ETag": '"d0f2b0d6a3f3d3a9c1b6f4e2"', "Cache-Control": "no-cache"}
_READ = {**_CACHED, **LANGUAGE_HEADERS}
_LAST = Document(examples.HIGHLIGHT["id"], examples.HIGHLIGHT["occurredAt"], "")
_NEXT = link({"cursor": cursor_of(_LAST)}, "next")


def _changes_link(path: str = "") -> str:
    return change_link({}, str(examples.PLACE), "changes", path)


_LISTED = {**_READ, "Link": f"{_NEXT}, {_changes_link()}", "X-Cache": "hit"}
_LISTED_MATCHES = {**_CACHED, "Link": f"{_NEXT}, {_changes_link('highlights')}"}
_LIST_HIGHLIGHTS: Json = {
    "operationId": "listHighlights",
    "tags": ["highlights"],
    "summary": "List highlights, newest first, or those that changed",
    "description": "Newest first by (occurredAt, id); `Link` has `next`, the next page, and"
    " `changes`, what changes from now on. With `changedSince` the oldest change comes first, each"
    " highlight once as it is now, retracted ones too: follow `next` at once while there is one,"
    " else ask `changes` again after a while.",
    "parameters": [
        MATCH_ID,
        {
            "name": "status",
            "in": "query",
            "description": "In this status; without it, all but RETRACTED. In any case.",
            "schema": reference(Status),
        },
        TEAM,
        EVENT_TYPE,
        parameter(
            "updatedSince",
            "Changed at or after",
            type="string",
            format="date-time",
        ),
        parameter(
            "page",
            "By number, from 1, which is that without it: for people. What lies beyond the first"
            " 10,000 has to be read by cursor",
            type="integer",  # without a default, which clients would send with changedSince
        ),
        PAGE_SIZE,
        CURSOR,
        parameter(
            "changedSince",
            "The changes after this place of an earlier Link; 0 is the beginning, and empty is now."
            " Not with status, updatedSince, page or cursor.",
            type="string",
            format="change-cursor",
        ),
        LANG,
        ACCEPT_LANGUAGE,
        IF_NONE_MATCH,
    ],
    "responses": {
        "200": response(
            "A page of highlights, or of changes",
            {"type": "array", "items": reference(Highlight)},
            _LISTED,
            examples={
                "page": {"summary": "The newest", "value": [examples.HIGHLIGHT]},
                "nothing": {"summary": "No change since `changedSince`", "value": []},
            },
        ),
        "304": _not_modified("page", _LISTED),
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
        LANG,
        ACCEPT_LANGUAGE,
        IF_NONE_MATCH,
    ],
    "responses": {
        "200": response("The highlight", reference(Highlight), _READ, example=examples.HIGHLIGHT),
        "304": _not_modified("highlight", _READ),
        **problems.problems(problems.HIGHLIGHT),
    },
}
_LIST_MATCHES: Json = {
    "operationId": "listMatches",
    "tags": ["highlights"],
    "summary": "List matches with their scores, that with the latest highlight first",
    "parameters": [MATCH_ID, PAGE_SIZE, CURSOR, IF_NONE_MATCH],
    "responses": {
        "200": response(
            "A page of matches",
            {"type": "array", "items": reference(Match)},
            _LISTED_MATCHES,
            example=[examples.MATCH],
        ),
        "304": _not_modified("page", _LISTED_MATCHES),
        **problems.problems(problems.MATCHES),
    },
}
