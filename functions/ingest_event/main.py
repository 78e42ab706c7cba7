"""ingest-event: match events over HTTP onto the topic match-events."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.ingest_event.app import build_app
from functions.ingest_event.settings import IngestEventSettings
from functions.shared.contract.topics import MATCH_EVENTS
from functions.shared.http.auth import build_guard
from functions.shared.http.readiness import Readiness
from functions.shared.http.startup import configure_process
from functions.shared.kafka.publisher import Publisher
from functions.shared.settings.load import load

settings = load(IngestEventSettings)
configure_process("ingest-event", settings)


@cache  # on first use: a producer made before gunicorn forks is dead in the worker
def publisher() -> Publisher:
    """Return the process' one publisher."""
    return Publisher(settings, topic=MATCH_EVENTS)


readiness = Readiness({"kafka": publisher})
app = build_app(
    publisher,
    settings.rules,
    guard=build_guard(settings),
    readiness=readiness,
    highlights_url=settings.highlights_url or "",
)


@functions_framework.aio.http
async def ingest_event(request: Request) -> Response:
    """POST /events, POST /events/batch."""
    return await app(request)
