"""consume-goal: match events from the topic into the table highlights."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.consume_goal.app import app
from functions.consume_goal.consume import Consume
from functions.consume_goal.settings import ConsumeGoalSettings
from functions.shared import logs
from functions.shared.cache import Cache
from functions.shared.highlights import Highlights
from functions.shared.postgres import Postgres
from functions.shared.publisher import Publisher
from functions.shared.settings import load

settings = load(ConsumeGoalSettings)
logs.configure("consume-goal", settings.log_level)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def consume() -> Consume:
    """The process' one consumer of batches."""
    return Consume(
        store=Highlights(Postgres(settings)),
        cache=Cache(settings),
        publisher=Publisher(settings, linger_ms=0),
        rules=settings.rules,
    )


routes = app(consume)


@functions_framework.aio.http
async def consume_goal(request: Request) -> Response:
    """POST / with the records of a batch."""
    return await routes(request)
