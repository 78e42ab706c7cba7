"""The HTTP route of stream-highlights."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from functions.shared.http.headers import header
from functions.shared.http.query_parameters import query_string
from functions.shared.http.readiness import Readiness
from functions.shared.http.routing import Guard, Router
from functions.stream_highlights.hub import ChangeHub
from functions.stream_highlights.query import parse_stream_query
from functions.stream_highlights.response import HEADERS, StreamResponse
from functions.stream_highlights.stream import HighlightStream


def build_app(
    hub: Callable[[], ChangeHub],
    guard: Guard | None = None,
    readiness: Readiness | None = None,
) -> Router:
    """Return the route GET /highlights/stream."""

    async def stream_highlights(request: Request) -> Response:
        query = parse_stream_query(query_string(request), header(request, b"last-event-id"))
        if request.method == "HEAD":
            return head_response()
        stream = HighlightStream(hub(), query.filters)
        try:
            await stream.begin(query.after)
        except BaseException:
            stream.close()
            raise
        return StreamResponse(stream)

    return Router({"/highlights/stream": {"GET": stream_highlights}}, hub, guard, readiness)


def head_response() -> Response:
    """Return the header of a stream, which has no length."""
    response = Response(headers=HEADERS, media_type=StreamResponse.media_type)
    del response.headers["content-length"]
    return response
