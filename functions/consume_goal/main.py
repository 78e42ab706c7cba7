"""consume-goal: match events from the topic into the table highlights."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.consume_goal.app import app
from functions.consume_goal.consume import Consume
from functions.consume_goal.settings import ConsumeGoalSettings
from functions.shared.contract.topics import HIGHLIGHTS_PENDING
from functions.shared.http import server
from functions.shared.http.readiness import Readiness, ask
from functions.shared.kafka.publisher import Publisher
from functions.shared.postgres.highlight_sql import RECORDS
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.redis.page_cache import PageCache
from functions.shared.settings.load import load

settings = load(ConsumeGoalSettings)
server.configure("consume-goal", settings)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def store() -> HighlightStore:
    """The process' one store."""
    return HighlightStore(Postgres(settings), RECORDS)


@cache
def page_cache() -> PageCache:
    """The process' one cache."""
    return PageCache(settings)


@cache
def publisher() -> Publisher:
    """The process' one publisher."""
    return Publisher(settings, topic=HIGHLIGHTS_PENDING)


@cache
def consume() -> Consume:
    """The process' one consumer of batches."""
    return Consume(store(), page_cache(), publisher(), settings.rules)


ready = Readiness({"postgres": ask(store), "kafka": ask(publisher)}, {"redis": ask(page_cache)})
routes = app(consume, ready)


@functions_framework.aio.http
async def consume_goal(request: Request) -> Response:
    """POST / with the records of a batch."""
    return await routes(request)
