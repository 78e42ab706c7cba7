"""list-highlights: highlights over HTTP, newest first."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.list_highlights.app import app
from functions.list_highlights.pages import Pages
from functions.list_highlights.settings import ListHighlightsSettings
from functions.shared import process
from functions.shared.access import admission
from functions.shared.cache import Cache
from functions.shared.highlight_sql import LISTS
from functions.shared.highlights import Highlights
from functions.shared.postgres import Postgres
from functions.shared.readiness import Readiness, ask
from functions.shared.settings import load

settings = load(ListHighlightsSettings)
process.configure("list-highlights", settings)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def store() -> Highlights:
    """The process' one store."""
    return Highlights(Postgres(settings), LISTS)


@cache
def page_cache() -> Cache:
    """The process' one cache."""
    return Cache(settings)


@cache
def pages() -> Pages:
    """The process' one source of pages."""
    return Pages(store(), page_cache())


ready = Readiness({"postgres": ask(store)}, {"redis": ask(page_cache)})
routes = app(pages, admission(settings), ready)


@functions_framework.aio.http
async def list_highlights(request: Request) -> Response:
    """GET /highlights."""
    return await routes(request)
