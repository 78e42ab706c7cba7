"""The error responses, with examples that the functions' own code makes."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import Request

from functions.get_highlight.app import not_found, parse_language
from functions.ingest_event.app import BATCH_LIMIT, EVENT_LIMIT
from functions.ingest_event.batch import parse_batch
from functions.ingest_event.ingest import not_acknowledged, parse_event
from functions.list_highlights.query import parse_match_query, parse_query
from functions.shared.errors import CursorExpired, Unavailable
from functions.shared.http.auth import ApiKeyAuth
from functions.shared.http.http_protocol import LATE
from functions.shared.http.http_protocol import TOO_LARGE as HEADER_TOO_LARGE
from functions.shared.http.problems import Problem, problem_of
from functions.shared.http.rate_limit import RateLimiter
from functions.shared.http.request_body import require_json, too_large
from functions.shared.http.settings import AccessSettings
from functions.shared.settings.load import load
from functions.stream_highlights.query import parse_stream_query
from infra.openapi import examples
from infra.openapi.parts import described
from infra.openapi.response_models import ProblemDetails
from infra.openapi.schemas import Json, reference


def problem_raised(function: Callable[..., object], *arguments: object) -> Problem:
    """Return the problem by which the error of a call is answered."""
    try:
        function(*arguments)
    except Exception as error:
        return problem_of(error)
    raise AssertionError(f"{function} raises nothing")


def problems(answered: Mapping[int, Problem]) -> Json:
    """Return the error responses by status, each with an example."""
    return {str(status): _response(problem) for status, problem in sorted(answered.items())}


def _response(problem: Problem) -> Json:
    body = json.loads(bytes(problem.response().body))
    content = {"schema": reference(ProblemDetails), "example": body}
    own = {"Cache-Control": "no-store", **(problem.headers or {})}
    is_routed = problem not in (LATE, HEADER_TOO_LARGE)
    return {
        "description": _DESCRIPTIONS[problem.status],
        "headers": described(own) if is_routed else described(own, ()),
        "content": {"application/problem+json": content},
    }


def _too_many() -> None:
    limiter = RateLimiter(_SETTINGS, lambda: 0.0)
    while True:
        limiter.count("caller")


_SETTINGS: Final = load(AccessSettings, {"RATE_LIMIT": "10", "API_KEYS": "a-key-of-an-example"})
_BARE: Final = Request({"type": "http", "headers": []})
_TYPO: Final = json.dumps({**examples.GOAL, "plyer": "Messi"}).encode()
_GUARDED: Final = {
    401: problem_raised(ApiKeyAuth(_SETTINGS, None), _BARE),
    429: problem_raised(_too_many),
    431: HEADER_TOO_LARGE,
}
_WITH_BODY: Final = {
    **_GUARDED,
    408: LATE,
    415: problem_raised(require_json, _BARE),
}
EVENT: Final = {
    **_WITH_BODY,
    400: problem_raised(parse_event, _TYPO),
    413: too_large(EVENT_LIMIT),
    503: problem_of(not_acknowledged([examples.RECEIPTS[1]])),
}
BATCH: Final = {
    **_WITH_BODY,
    400: problem_raised(parse_batch, b"[%s]" % _TYPO),
    413: too_large(BATCH_LIMIT),
    503: problem_of(not_acknowledged(examples.RECEIPTS)),
}
READ: Final = {**_GUARDED, 503: problem_of(Unavailable("The database does not answer."))}
LIST: Final = {
    **READ,
    400: problem_raised(parse_query, "page=one&statsu=READY"),
    410: problem_of(CursorExpired()),
}
MATCHES: Final = {**READ, 400: problem_raised(parse_match_query, "match=1")}
HIGHLIGHT: Final = {
    **READ,
    400: problem_raised(parse_language, "lang=tlh"),
    404: problem_of(not_found("00000000-0000-0000-0000-00000000dead")),
}
STREAM: Final = {**READ, 400: problem_raised(parse_stream_query, "lastEventId=1", None)}

_DESCRIPTIONS = {
    400: "A field or parameter is refused; `errors` says why",
    401: "The service has API keys, and the request brings none of them",
    404: "There is no such highlight",
    408: "The request does not arrive in time",
    410: "`changedSince` is from before the database was restored or moved: begin anew at `begin`",
    413: "The body, or what it unpacks to, is larger than 64 KiB (a batch: 2 MiB)",
    415: "The body does not call itself JSON, or has another content coding than gzip",
    429: "The caller sends too many requests; try again after `Retry-After`",
    431: "The header is larger than 16 KiB",
    503: "A service behind this one does not answer in time; try again after `Retry-After`",
}
