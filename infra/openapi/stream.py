"""The operation that streams highlights as server-sent events."""

import json
from typing import Final

from functions.stream_highlights.query import HEADER
from functions.stream_highlights.response import StreamResponse
from functions.stream_highlights.server_sent_events import COMMENT, render_event
from functions.stream_highlights.subscription import TOO_SLOW, render_reset
from infra.openapi import examples, problems
from infra.openapi.parameters import (
    ACCEPT_LANGUAGE,
    EVENT_TYPE,
    LANG,
    LANGUAGE_HEADERS,
    MATCH_ID,
    TEAM,
    parameter,
)
from infra.openapi.parts import described
from infra.openapi.response_models import Highlight
from infra.openapi.schemas import Json, reference

_CURSOR: Json = {"type": "string", "format": "change-cursor"}


def _event(name: str, description: str, data: Json, *, has_id: bool = True) -> Json:
    content = {"type": "string", "contentMediaType": "application/json", "contentSchema": data}
    return {
        "description": description,
        "properties": {"event": {"const": name}, "data": content},
        "required": ["event", "id", "data"] if has_id else ["event", "data"],
    }


def _object(**members: Json) -> Json:
    return {"type": "object", "properties": members, "required": [*members]}


# OpenAPI 3.2 has `itemSchema` for this; what reads 3.1 ignores it.
_ITEM: Final[Json] = {
    "type": "object",
    "properties": {"event": {"type": "string"}, "id": _CURSOR, "data": {"type": "string"}},
    "oneOf": [
        _event(
            "highlight",
            "A highlight that changed, as it is now; `status` may be RETRACTED.",
            reference(Highlight),
        ),
        _event("ready", "Everything up to this id has been sent.", {"type": "object"}),
        _event(
            "reset",
            "The database was restored or moved: read everything again; the stream goes on.",
            _object(begin={"type": "string"}),
        ),
        _event(
            "end",
            "The last event, with the reason: connect again, with the last id.",
            _object(reason={"type": "string"}),
            has_id=False,
        ),
    ],
}
_EXAMPLES: Final[Json] = {
    "goal": {
        "summary": "A goal, after which the client is up to date; a heartbeat",
        "value": (
            b"retry: 2000\n\n"
            + render_event(
                "highlight", json.dumps(examples.HIGHLIGHT, ensure_ascii=False), examples.PLACE
            )
            + render_event("ready", event_id=examples.PLACE)
            + COMMENT
        ).decode(),
    },
    "reset": {
        "summary": "The client comes back with an id from before a restore",
        "value": render_reset(examples.PLACE).decode(),
    },
    "end": {
        "summary": "The client does not read fast enough",
        "value": render_event("end", json.dumps({"reason": TOO_SLOW})).decode(),
    },
}
OPERATION: Final[Json] = {
    "operationId": "streamHighlights",
    "tags": ["highlights"],
    "summary": "Follow what changes, as server-sent events",
    "description": "The change feed as a stream. It begins now, or after the id of an event, and"
    " does not end by itself for minutes: read it with `EventSource`, or `curl -N`. A comment comes"
    " every 15 seconds at the latest.",
    "parameters": [
        MATCH_ID,
        TEAM,
        EVENT_TYPE,
        parameter(
            "lastEventId",
            "Begin after this id, or after the cursor of a Link with `changes`; 0 is the beginning."
            " For a browser's first request, which cannot have the header.",
            **_CURSOR,
        ),
        LANG,
        ACCEPT_LANGUAGE,
        {
            "name": HEADER,
            "in": "header",
            "description": "Begin after this id; goes before `lastEventId`. A browser sends it when"
            " it comes back.",
            "schema": _CURSOR,
        },
    ],
    "responses": {
        "200": {
            "description": "Events, until the client or the server ends the stream",
            "headers": described({"Cache-Control": "no-store", **LANGUAGE_HEADERS}),
            "content": {
                StreamResponse.media_type: {
                    "schema": {"type": "string"},
                    "x-itemSchema": _ITEM,
                    "examples": _EXAMPLES,
                }
            },
        },
        **problems.problems(problems.STREAM),
    },
}
