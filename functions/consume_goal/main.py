"""consume-goal: match events from the topic into the table highlights."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.consume_goal.app import app
from functions.consume_goal.consume import Consume
from functions.consume_goal.settings import ConsumeGoalSettings
from functions.shared import process
from functions.shared.cache import Cache
from functions.shared.highlight_sql import RECORDS
from functions.shared.highlights import Highlights
from functions.shared.postgres import Postgres
from functions.shared.publisher import Publisher
from functions.shared.readiness import Readiness, ask
from functions.shared.settings import load
from functions.shared.topics import HIGHLIGHTS_PENDING

settings = load(ConsumeGoalSettings)
process.configure("consume-goal", settings)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def store() -> Highlights:
    """The process' one store."""
    return Highlights(Postgres(settings), RECORDS)


@cache
def page_cache() -> Cache:
    """The process' one cache."""
    return Cache(settings)


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
