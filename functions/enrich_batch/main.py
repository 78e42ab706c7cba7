"""enrich-batch: PENDING_AI highlights get their title and summary."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.enrich_batch.app import app
from functions.enrich_batch.enrich import EnrichBatch
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.enrich_batch.template import TemplateEnricher
from functions.shared import process
from functions.shared.cache import Cache
from functions.shared.highlight_sql import ENRICHES
from functions.shared.highlights import Highlights
from functions.shared.postgres import Postgres
from functions.shared.readiness import Readiness, ask
from functions.shared.settings import load

settings = load(EnrichBatchSettings)
process.configure("enrich-batch", settings)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def queue() -> Highlights:
    """The process' one queue."""
    return Highlights(Postgres(settings), ENRICHES)


@cache
def page_cache() -> Cache:
    """The process' one cache."""
    return Cache(settings)


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
