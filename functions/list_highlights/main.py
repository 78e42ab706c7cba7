"""list-highlights: highlights over HTTP, newest first."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.list_highlights.app import app
from functions.list_highlights.pages import Pages
from functions.list_highlights.settings import ListHighlightsSettings
from functions.shared.http import server
from functions.shared.http.auth import build_guard
from functions.shared.http.readiness import Readiness, ask
from functions.shared.postgres.highlight_sql import LISTS
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.redis.page_cache import PageCache
from functions.shared.settings.load import load

settings = load(ListHighlightsSettings)
server.configure("list-highlights", settings)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def store() -> HighlightStore:
    """The process' one store."""
    return HighlightStore(Postgres(settings), LISTS)


@cache
def page_cache() -> PageCache:
    """The process' one cache."""
    return PageCache(settings)


@cache
def pages() -> Pages:
    """The process' one source of pages."""
    return Pages(store(), page_cache())


ready = Readiness({"postgres": ask(store)}, {"redis": ask(page_cache)})
routes = app(pages, build_guard(settings), ready)


@functions_framework.aio.http
async def list_highlights(request: Request) -> Response:
    """GET /highlights."""
    return await routes(request)
