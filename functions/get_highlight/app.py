"""The HTTP face of get-highlight."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from functions.shared.highlights import Document
from functions.shared.http import Routes, json_with_etag
from functions.shared.problems import Problem

PREFIX = "/highlights/"


class Gets(Protocol):
    """What get-highlight needs of the store."""

    async def get(self, highlight_id: UUID) -> Document | None:
        """One highlight, in any status."""


def app(store: Callable[[], Gets]) -> Routes:
    """GET /highlights/{id}."""

    async def get(request: Request) -> Response:
        name = request.url.path.removeprefix(PREFIX)
        document = await store().get(identified(name))
        if document is None:
            raise not_found(name)
        return json_with_etag(request, document.json.encode())

    return Routes({PREFIX: {"GET": get}})


def identified(name: str) -> UUID:
    """The id that a path names; what is no id names nothing.

    Raises:
        Problem: 404.
    """
    try:
        return UUID(name)
    except ValueError:
        raise not_found(name) from None


def not_found(name: str) -> Problem:
    """There is no such highlight."""
    return Problem(404, f"There is no highlight {name[:64]!r}.")
