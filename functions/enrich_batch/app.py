"""The HTTP routes of enrich-batch, which cron and a trigger call."""

from collections.abc import Callable
from dataclasses import asdict

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.enrich_batch.queue.worker import EnrichmentWorker
from functions.shared.http.readiness import Readiness
from functions.shared.http.request_body import read_body
from functions.shared.http.responses import json_response, metrics_response
from functions.shared.http.routing import Router

BODY_LIMIT = 16 * 1024 * 1024


def build_app(worker: Callable[[], EnrichmentWorker], readiness: Readiness | None = None) -> Router:
    """Return the routes: POST /, whose body only says that there may be work, and GET /metrics."""

    async def run(request: Request) -> Response:
        await read_body(request, limit=BODY_LIMIT)  # or the connection could not be used again
        counts = await worker().run()
        return json_response(orjson.dumps(asdict(counts)))

    async def metrics(_: Request) -> Response:
        return metrics_response()

    return Router({"/": {"POST": run}, "/metrics": {"GET": metrics}}, worker, readiness=readiness)
