"""list-highlights: highlights over HTTP, newest first."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.list_highlights.app import app
from functions.list_highlights.pages import Pages
from functions.list_highlights.settings import ListHighlightsSettings
from functions.shared import logs
from functions.shared.access import admission
from functions.shared.cache import Cache
from functions.shared.highlights import Highlights
from functions.shared.postgres import Postgres
from functions.shared.server import limit_requests
from functions.shared.settings import load

settings = load(ListHighlightsSettings)
logs.configure("list-highlights", settings.log_level)
limit_requests(settings)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def pages() -> Pages:
    """The process' one source of pages."""
    return Pages(Highlights(Postgres(settings)), Cache(settings))


routes = app(pages, admission(settings))


@functions_framework.aio.http
async def list_highlights(request: Request) -> Response:
    """GET /highlights."""
    return await routes(request)
