"""consume-goal: match events from the topic into the table highlights."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.consume_goal.app import build_app
from functions.consume_goal.consume import EventConsumer
from functions.consume_goal.settings import ConsumeGoalSettings
from functions.shared.contract.topics import HIGHLIGHTS_PENDING
from functions.shared.http.readiness import Readiness
from functions.shared.http.startup import configure_process
from functions.shared.kafka.publisher import Publisher
from functions.shared.postgres.highlight_sql import RECORDS
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.redis.page_cache import PageCache
from functions.shared.settings.load import load

settings = load(ConsumeGoalSettings)
configure_process("consume-goal", settings)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def store() -> HighlightStore:
    """Return the process' one store."""
    return HighlightStore(Postgres(settings), RECORDS)


@cache
def page_cache() -> PageCache:
    """Return the process' one cache."""
    return PageCache(settings)


@cache
def publisher() -> Publisher:
    """Return the process' one publisher."""
    return Publisher(settings, topic=HIGHLIGHTS_PENDING)


@cache
def consumer() -> EventConsumer:
    """Return the process' one consumer."""
    return EventConsumer(store(), page_cache(), publisher(), settings.rules)


readiness = Readiness({"postgres": store, "kafka": publisher}, {"redis": page_cache})
app = build_app(consumer, readiness)


@functions_framework.aio.http
async def consume_goal(request: Request) -> Response:
    """POST / with the records of a batch."""
    return await app(request)
