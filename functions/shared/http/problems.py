"""Errors as answers: problem details (RFC 9457), made in this one place."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from http import HTTPStatus
from itertools import islice
from typing import Any

import orjson
from starlette.responses import Response

from functions.shared.http.responses import json_response

Errors = dict[str, list[str]]

# Who sends much nonsense is not sent more of it.
ERRORS_TOLD = 50
ERRORS_IN_A_LINE = 10
NAMES_TOLD = 5
NAME_TOLD = 64


class Problem(Exception):
    """An error that the caller is told as `application/problem+json`."""

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
            "title": HTTPStatus(self.status).phrase,
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


class Unavailable(Problem):
    """A service that we need does not answer; the same request may work in a moment."""

    def __init__(self, detail: str, *, retry_after_s: int = 1, **members: object) -> None:
        super().__init__(503, detail, headers={"Retry-After": str(retry_after_s)}, **members)


def invalid(errors: Errors) -> Problem:
    """A 400 that says of every refused field why, or of the first of many."""
    errors = {name[:NAME_TOLD]: errors[name] for name in islice(errors, ERRORS_TOLD)}
    names = list(errors)
    more = ", …" if len(names) > NAMES_TOLD else ""
    fields = ", ".join(names[:NAMES_TOLD]) + more
    return Problem(400, f"The request is not valid: {fields}.", errors=errors)


def unknown(name: str, known: Sequence[str]) -> str:
    """Why a field or parameter is refused, with a hint where its name is nearly right."""
    folded = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower().replace("_", ""), folded, n=1, cutoff=0.7)
    return f"is unknown; did you mean {folded[close[0]]}?" if close else "is unknown"


def explain(errors: Sequence[Any], known: Sequence[str], *, at: tuple[int, ...] = ()) -> Errors:
    """The first of pydantic's errors, by field; of a batch with its index, as in `3.player`.

    `at` is where in what was posted the validated part stands.
    """
    explained: Errors = {}
    for error in errors[:ERRORS_TOLD]:
        name = _place((*at, *error["loc"])) or "body"
        if error["type"] == "extra_forbidden":
            why = unknown(str(error["loc"][-1])[:NAME_TOLD], known)
        else:
            why = error["msg"].removeprefix("Value error, ")
        explained.setdefault(name, []).append(why)
    return explained


def summary(errors: Sequence[Any]) -> str:
    """The first of pydantic's errors, in one line."""
    return "; ".join(
        f"{_place(error['loc']) or 'data'}: {error['msg']}" for error in errors[:ERRORS_IN_A_LINE]
    )


def _place(loc: Sequence[str | int]) -> str:
    return ".".join(str(part)[:NAME_TOLD] for part in loc)
