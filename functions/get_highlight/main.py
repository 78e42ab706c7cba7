"""get-highlight: one highlight over HTTP."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.get_highlight.app import build_app
from functions.get_highlight.settings import GetHighlightSettings
from functions.shared.http.auth import build_guard
from functions.shared.http.languages import Languages
from functions.shared.http.readiness import Readiness
from functions.shared.http.startup import configure_process
from functions.shared.postgres.highlight_sql import GETS
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.settings.load import load

settings = load(GetHighlightSettings)
configure_process("get-highlight", settings)


@cache  # on first use: threads made before gunicorn forks are dead in the worker
def store() -> HighlightStore:
    """Return the process' one store."""
    return HighlightStore(Postgres(settings), GETS)


readiness = Readiness({"postgres": store})
app = build_app(store, build_guard(settings), readiness, Languages(settings.languages))


@functions_framework.aio.http
async def get_highlight(request: Request) -> Response:
    """GET /highlights/{id}."""
    return await app(request)
