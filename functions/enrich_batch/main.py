"""enrich-batch: PENDING_AI highlights get their title and summary."""

from functools import cache

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.enrich_batch.app import build_app
from functions.enrich_batch.choice import build_endpoint
from functions.enrich_batch.queue.worker import EnrichmentWorker
from functions.enrich_batch.review import Reviewer
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.shared.http.readiness import Readiness
from functions.shared.http.startup import configure_process
from functions.shared.postgres.highlight_sql import ENRICHES
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.redis.page_cache import PageCache
from functions.shared.settings.load import load

settings = load(EnrichBatchSettings)
configure_process("enrich-batch", settings)


@cache  # on first use: threads and clients made before gunicorn forks are dead in the worker
def queue() -> HighlightStore:
    """Return the process' one queue."""
    return HighlightStore(Postgres(settings), ENRICHES)


@cache
def page_cache() -> PageCache:
    """Return the process' one cache."""
    return PageCache(settings)


@cache
def worker() -> EnrichmentWorker:
    """Return the process' one worker."""
    endpoint = build_endpoint(settings)
    reviewer = Reviewer(
        TemplateEnricher(), endpoint, languages=settings.languages, style=settings.enrich_style
    )
    return EnrichmentWorker(queue(), page_cache(), reviewer, settings, endpoint)


readiness = Readiness({"postgres": queue}, {"redis": page_cache})
app = build_app(worker, readiness)


@functions_framework.aio.http
async def enrich_batch(request: Request) -> Response:
    """POST / from cron or a trigger."""
    return await app(request)
