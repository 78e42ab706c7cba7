"""The HTTP route of enrich-batch, which cron and a trigger call."""

from collections.abc import Callable
from dataclasses import asdict

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.enrich_batch.enrich import EnrichmentWorker
from functions.shared.http.readiness import Readiness
from functions.shared.http.request_body import read_body
from functions.shared.http.responses import json_response
from functions.shared.http.routing import Router

BODY_LIMIT = 16 * 1024 * 1024


def build_app(worker: Callable[[], EnrichmentWorker], readiness: Readiness | None = None) -> Router:
    """Return the route POST /; whatever the body is, it announces that there may be work."""

    async def run(request: Request) -> Response:
        await read_body(request, limit=BODY_LIMIT)  # or the connection could not be used again
        counts = await worker().run()
        return json_response(orjson.dumps(asdict(counts)))

    return Router({"/": {"POST": run}}, worker, readiness=readiness)
