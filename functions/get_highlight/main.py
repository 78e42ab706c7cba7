"""get-highlight: one highlight over HTTP."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.get_highlight.app import app
from functions.get_highlight.settings import GetHighlightSettings
from functions.shared import process
from functions.shared.access import admission
from functions.shared.highlight_sql import GETS
from functions.shared.highlights import Highlights
from functions.shared.postgres import Postgres
from functions.shared.readiness import Readiness, ask
from functions.shared.settings import load

settings = load(GetHighlightSettings)
process.configure("get-highlight", settings)


@cache  # on first use: threads made before gunicorn forks are dead in the worker
def store() -> Highlights:
    """The process' one store."""
    return Highlights(Postgres(settings), GETS)


ready = Readiness({"postgres": ask(store)})
routes = app(store, admission(settings), ready)


@functions_framework.aio.http
async def get_highlight(request: Request) -> Response:
    """GET /highlights/{id}."""
    return await routes(request)
