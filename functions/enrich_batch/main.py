"""enrich-batch: PENDING_AI highlights get their title and summary."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.enrich_batch.app import app
from functions.enrich_batch.enrich import EnrichBatch
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.enrich_batch.template import TemplateEnricher
from functions.shared.http import server
from functions.shared.http.readiness import Readiness, ask
from functions.shared.postgres.highlight_sql import ENRICHES
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.redis.page_cache import PageCache
from functions.shared.settings.load import load

settings = load(EnrichBatchSettings)
server.configure("enrich-batch", settings)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def queue() -> HighlightStore:
    """The process' one queue."""
    return HighlightStore(Postgres(settings), ENRICHES)


@cache
def page_cache() -> PageCache:
    """The process' one cache."""
    return PageCache(settings)


@cache
def enrich() -> EnrichBatch:
    """The process' one worker."""
    return EnrichBatch(queue(), page_cache(), TemplateEnricher(), settings)


ready = Readiness({"postgres": ask(queue)}, {"redis": ask(page_cache)})
routes = app(enrich, ready)


@functions_framework.aio.http
async def enrich_batch(request: Request) -> Response:
    """POST / from cron or a trigger."""
    return await routes(request)
