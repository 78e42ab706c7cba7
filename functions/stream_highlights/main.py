"""stream-highlights: changes of highlights as server-sent events."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.shared.http.auth import build_guard
from functions.shared.http.languages import Languages
from functions.shared.http.readiness import Readiness
from functions.shared.http.server_hooks import on_shutdown
from functions.shared.http.startup import configure_process
from functions.shared.postgres.change_feed import ChangeFeed
from functions.shared.postgres.pool import Postgres
from functions.shared.redis.change_listener import ChangeListener
from functions.shared.settings.load import load
from functions.stream_highlights.app import build_app
from functions.stream_highlights.hub import ChangeHub
from functions.stream_highlights.settings import StreamHighlightsSettings

settings = load(StreamHighlightsSettings)
configure_process("stream-highlights", settings)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def feed() -> ChangeFeed:
    """Return the process' one change feed."""
    return ChangeFeed(Postgres(settings))


@cache
def listener() -> ChangeListener:
    """Return the process' one listener to announced changes."""
    return ChangeListener(settings)


@cache
def hub() -> ChangeHub:
    """Return the process' one reader of changes."""
    hub = ChangeHub(feed(), settings, listener())
    on_shutdown(hub.close)
    return hub


readiness = Readiness({"postgres": feed}, {"redis": listener})
app = build_app(hub, build_guard(settings), readiness, Languages(settings.languages))


@functions_framework.aio.http
async def stream_highlights(request: Request) -> Response:
    """GET /highlights/stream."""
    return await app(request)
