"""The HTTP face of list-highlights."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from functions.list_highlights.pages import Pages
from functions.list_highlights.query import parse
from functions.shared.http.readiness import Readiness
from functions.shared.http.routing import Admit, Routes, json_with_etag


def app(
    pages: Callable[[], Pages], admit: Admit | None = None, ready: Readiness | None = None
) -> Routes:
    """GET /highlights."""

    async def list_highlights(request: Request) -> Response:
        page = await pages().page(parse(query_string(request)))
        return json_with_etag(request, page.body, etag=page.etag, link=page.link)

    return Routes({"/highlights": {"GET": list_highlights}}, pages, admit, ready)


def query_string(request: Request) -> str:
    """The query of a request, as text even if it should not be."""
    return bytes(request.scope["query_string"]).decode(errors="replace")
