"""The HTTP route of stream-highlights."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from functions.shared.http.headers import header
from functions.shared.http.languages import ENGLISH, Languages
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
    languages: Languages = ENGLISH,
) -> Router:
    """Return the route GET /highlights/stream."""

    async def stream_highlights(request: Request) -> Response:
        last_event_id = header(request, b"last-event-id")
        query = parse_stream_query(query_string(request), last_event_id, languages)
        language, headers = languages.choose(request, query.language)
        if request.method == "HEAD":
            return head_response(headers)
        stream = HighlightStream(hub(), query.filters, language.translation)
        try:
            await stream.begin(query.after)
        except BaseException:
            stream.close()
            raise
        return StreamResponse(stream, headers)

    return Router({"/highlights/stream": {"GET": stream_highlights}}, hub, guard, readiness)


def head_response(headers: Mapping[str, str]) -> Response:
    """Return the header of a stream, which has no length; `headers` are further ones."""
    response = Response(headers={**HEADERS, **headers}, media_type=StreamResponse.media_type)
    del response.headers["content-length"]
    return response
