"""list-highlights: highlights over HTTP, newest first or by change, and matches."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.list_highlights.app import build_app
from functions.list_highlights.pages import PageReader
from functions.list_highlights.settings import ListHighlightsSettings
from functions.shared.http.auth import build_guard
from functions.shared.http.languages import Languages
from functions.shared.http.readiness import Readiness
from functions.shared.http.startup import configure_process
from functions.shared.postgres.change_feed import ChangeFeed
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.match_sql import READS
from functions.shared.postgres.pool import Postgres
from functions.shared.redis.page_cache import PageCache
from functions.shared.settings.load import load

settings = load(ListHighlightsSettings)
configure_process("list-highlights", settings)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def postgres() -> Postgres:
    """Return the process' one pool."""
    return Postgres(settings)


@cache
def store() -> HighlightStore:
    """Return the process' one store."""
    return HighlightStore(postgres(), READS)


@cache
def page_cache() -> PageCache:
    """Return the process' one cache."""
    return PageCache(settings)


@cache
def page_reader() -> PageReader:
    """Return the process' one reader of pages."""
    cached = page_cache() if settings.redis_url else None
    return PageReader(store(), cached, ChangeFeed(postgres()))


readiness = Readiness({"postgres": store}, {"redis": page_cache})
app = build_app(page_reader, build_guard(settings), readiness, Languages(settings.languages))


@functions_framework.aio.http
async def list_highlights(request: Request) -> Response:
    """GET /highlights and GET /matches."""
    return await app(request)
