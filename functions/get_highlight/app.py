"""The HTTP route of get-highlight."""

import re
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from functions.shared.errors import NotFound
from functions.shared.http.readiness import Readiness
from functions.shared.http.responses import conditional_json_response
from functions.shared.http.routing import Guard, Router
from functions.shared.postgres.highlights import Document

PREFIX = "/highlights/"
CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class HighlightReader(Protocol):
    """The part of the store that get-highlight uses."""

    async def get(self, highlight_id: UUID) -> Document | None:
        """Return a highlight of any status, or None."""


def build_app(
    store: Callable[[], HighlightReader],
    guard: Guard | None = None,
    readiness: Readiness | None = None,
) -> Router:
    """Return the route GET /highlights/{id}."""

    async def get(request: Request) -> Response:
        text = request.scope["path"].removeprefix(PREFIX)
        document = await store().get(parse_id(text))
        if document is None:
            raise not_found(text)
        return conditional_json_response(request, document.json.encode())

    return Router({f"{PREFIX}*": {"GET": get}}, store, guard, readiness)


def parse_id(text: str) -> UUID:
    """Return the id in a path.

    Raises:
        NotFound: it is not a UUID in its canonical form.
    """
    if not CANONICAL_UUID.fullmatch(text):
        raise not_found(text)
    return UUID(text)


def not_found(text: str) -> NotFound:
    """Return the error for an id that no highlight has."""
    return NotFound(f"There is no highlight {text[:64]!r}.")
