"""The HTTP face of enrich-batch, for cron and for a trigger."""

from collections.abc import Callable
from dataclasses import asdict

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.enrich_batch.enrich import EnrichBatch
from functions.shared.http import Json, Routes
from functions.shared.readiness import Readiness


def app(enrich: Callable[[], EnrichBatch], ready: Readiness | None = None) -> Routes:
    """POST /: whatever it brings, it says that there may be work."""

    async def run(_: Request) -> Response:
        tally = await enrich().run()
        return Json(orjson.dumps(asdict(tally)))

    return Routes({"/": {"POST": run}}, enrich, ready=ready)
