"""stream-highlights: changes of highlights as server-sent events."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.shared.http.auth import build_guard
from functions.shared.http.readiness import Readiness
from functions.shared.http.startup import configure_process
from functions.shared.postgres.highlight_sql import LISTS
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.redis.page_cache import PageCache
from functions.shared.settings.load import load
from functions.stream_highlights.app import build_app
from functions.stream_highlights.settings import StreamHighlightsSettings

settings = load(StreamHighlightsSettings)
configure_process("stream-highlights", settings)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def store() -> HighlightStore:
    """Return the process' one store."""
    return HighlightStore(Postgres(settings), LISTS)


@cache
def page_cache() -> PageCache:
    """Return the process' one cache."""
    return PageCache(settings)


readiness = Readiness({"postgres": store}, {"redis": page_cache})
app = build_app(store, build_guard(settings), readiness)


@functions_framework.aio.http
async def stream_highlights(request: Request) -> Response:
    """GET /highlights/stream."""
    return await app(request)
