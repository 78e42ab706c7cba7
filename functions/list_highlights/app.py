"""The HTTP routes of list-highlights."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from functions.list_highlights.change_query import ChangeQuery, parse_change_query
from functions.list_highlights.pages import PageReader
from functions.list_highlights.query import parse_match_query, parse_query
from functions.shared.http.languages import ENGLISH, Languages
from functions.shared.http.query_parameters import query_string
from functions.shared.http.readiness import Readiness
from functions.shared.http.responses import (
    conditional_json_response,
    json_response,
    metrics_response,
)
from functions.shared.http.routing import Guard, Methods, Router
from functions.shared.observability.metrics import Counter

CACHED_LISTS = {
    "hit": Counter("list_highlights_cache_hits_total", "Lists that came from the cache."),
    "miss": Counter(
        "list_highlights_cache_misses_total",
        "Lists that may be cached, and came from the database.",
    ),
}


def build_app(
    pages: Callable[[], PageReader],
    guard: Guard | None = None,
    readiness: Readiness | None = None,
    languages: Languages = ENGLISH,
) -> Router:
    """Return the routes GET /highlights, with the change feed, and GET /matches."""

    async def list_highlights(request: Request) -> Response:
        text = query_string(request)
        query = parse_change_query(text, languages) or parse_query(text, languages)
        language, headers = languages.choose(request, query.language)
        if isinstance(query, ChangeQuery):
            page = await pages().read_changes(query, language)
            headers = {"Link": page.link, "Cache-Control": "no-store", **headers}
            return json_response(page.body, headers=headers)
        page = await pages().read(query, language)
        if page.cache:
            CACHED_LISTS[page.cache].increment()
            headers = {**headers, "X-Cache": page.cache}
        return conditional_json_response(
            request, page.body, etag=page.etag, link=page.link, headers=headers
        )

    async def metrics(_: Request) -> Response:
        return metrics_response()

    async def list_matches(request: Request) -> Response:
        page = await pages().read_matches(parse_match_query(query_string(request)))
        return conditional_json_response(request, page.body, etag=page.etag, link=page.link)

    routes: dict[str, Methods] = {
        "/highlights": {"GET": list_highlights},
        "/matches": {"GET": list_matches},
        "/metrics": {"GET": metrics},
    }
    return Router(routes, pages, guard, readiness)
