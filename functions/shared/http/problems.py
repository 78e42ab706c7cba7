"""Errors as HTTP answers: problem details (RFC 9457), made in this one place."""

from collections.abc import Mapping
from http import HTTPStatus
from itertools import islice

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from functions.shared.contract.field_errors import MAX_ERRORS, MAX_NAME_LENGTH
from functions.shared.errors import (
    CursorExpired,
    InvalidInput,
    NotFound,
    RecordsRejected,
    TooLarge,
    Unavailable,
    UnreadableInput,
    UnsupportedFormat,
)
from functions.shared.http.responses import json_response

MAX_NAMES_IN_DETAIL = 5
FROM_THE_BEGINNING = "?changedSince=0"

# By RFC 9110; Python has these names only since 3.13.
TITLES: Mapping[int, str] = {413: "Content Too Large", 422: "Unprocessable Content"}
STATUSES: Mapping[type[Exception], int] = {
    UnreadableInput: 400,
    NotFound: 404,
    TooLarge: 413,
    UnsupportedFormat: 415,
    RecordsRejected: 422,
}


class Problem(Exception):
    """An error that is answered with `application/problem+json`."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.members = members

    def response(self) -> Response:
        """The answer: type, title, status, detail, and the problem's own members."""
        body = {
            "type": "about:blank",
            "title": TITLES.get(self.status) or HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        return json_response(
            orjson.dumps(body, default=str),
            self.status,
            {"Cache-Control": "no-store", **(self.headers or {})},
            "application/problem+json",
        )


def problem_of(error: Exception) -> Problem:
    """The problem by which an error is answered: 500 for one that nobody expects."""
    match error:
        case Problem():
            return error
        case ClientDisconnect():
            return Problem(400, "The body ended before its end.")
        case InvalidInput():
            return _invalid(error.errors)
        case CursorExpired():
            headers = {"Link": f'<{FROM_THE_BEGINNING}>; rel="changes"'}
            return Problem(410, str(error), headers=headers, begin=FROM_THE_BEGINNING)
        case Unavailable():
            headers = {"Retry-After": str(error.retry_after_s)}
            return Problem(503, str(error), headers=headers, **error.members)
    for kind, status in STATUSES.items():
        if isinstance(error, kind):
            return Problem(status, str(error))
    return Problem(500, "Something unexpected went wrong; it is in the log.")


def _invalid(errors: Mapping[str, list[str]]) -> Problem:
    """A 400 with the reasons for the first MAX_ERRORS fields."""
    listed = {name[:MAX_NAME_LENGTH]: errors[name] for name in islice(errors, MAX_ERRORS)}
    names = list(listed)
    more = ", …" if len(names) > MAX_NAMES_IN_DETAIL else ""
    fields = ", ".join(names[:MAX_NAMES_IN_DETAIL]) + more
    return Problem(400, f"The request is not valid: {fields}.", errors=listed)
