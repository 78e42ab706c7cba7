"""The HTTP face of get-highlight."""

import re
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from functions.shared.errors import NotFound
from functions.shared.http.readiness import Readiness
from functions.shared.http.routing import Admit, Routes, json_with_etag
from functions.shared.postgres.highlights import Document

PREFIX = "/highlights/"
CANONICAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class HighlightReader(Protocol):
    """What get-highlight needs of the store."""

    async def get(self, highlight_id: UUID) -> Document | None:
        """One highlight, in any status."""


def app(
    store: Callable[[], HighlightReader], admit: Admit | None = None, ready: Readiness | None = None
) -> Routes:
    """GET /highlights/{id}."""

    async def get(request: Request) -> Response:
        name = request.scope["path"].removeprefix(PREFIX)
        document = await store().get(identified(name))
        if document is None:
            raise not_found(name)
        return json_with_etag(request, document.json.encode())

    return Routes({f"{PREFIX}*": {"GET": get}}, store, admit, ready)


def identified(name: str) -> UUID:
    """The id that a path names; what is no id names nothing.

    Raises:
        NotFound: it names no highlight.
    """
    if not CANONICAL.fullmatch(name):
        raise not_found(name)
    return UUID(name)


def not_found(name: str) -> NotFound:
    """There is no such highlight."""
    return NotFound(f"There is no highlight {name[:64]!r}.")
