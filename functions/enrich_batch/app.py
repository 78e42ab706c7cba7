"""The HTTP face of enrich-batch, for cron and for a trigger."""

from collections.abc import Callable
from dataclasses import asdict

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.enrich_batch.enrich import EnrichBatch
from functions.shared.http.readiness import Readiness
from functions.shared.http.request_body import read_body
from functions.shared.http.responses import Json
from functions.shared.http.routing import Routes

BODY_LIMIT = 16 * 1024 * 1024


def app(enrich: Callable[[], EnrichBatch], ready: Readiness | None = None) -> Routes:
    """POST /: whatever it brings, it says that there may be work."""

    async def run(request: Request) -> Response:
        await read_body(request, limit=BODY_LIMIT)  # or the connection could not be used again
        tally = await enrich().run()
        return Json(orjson.dumps(asdict(tally)))

    return Routes({"/": {"POST": run}}, enrich, ready=ready)
