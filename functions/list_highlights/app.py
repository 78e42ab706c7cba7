"""The HTTP route of list-highlights."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from functions.list_highlights.pages import PageReader
from functions.list_highlights.query import parse_query
from functions.shared.http.readiness import Readiness
from functions.shared.http.responses import conditional_json_response
from functions.shared.http.routing import Guard, Router


def build_app(
    pages: Callable[[], PageReader],
    guard: Guard | None = None,
    readiness: Readiness | None = None,
) -> Router:
    """Return the route GET /highlights."""

    async def list_highlights(request: Request) -> Response:
        page = await pages().read(parse_query(query_string(request)))
        return conditional_json_response(request, page.body, etag=page.etag, link=page.link)

    return Router({"/highlights": {"GET": list_highlights}}, pages, guard, readiness)


def query_string(request: Request) -> str:
    """Return the query of a URL; bytes that are not UTF-8 are replaced."""
    return bytes(request.scope["query_string"]).decode(errors="replace")
