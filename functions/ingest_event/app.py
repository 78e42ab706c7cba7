"""The HTTP face of ingest-event."""

from collections.abc import Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.ingest_event.ingest import Ingest, Publishes
from functions.shared.http import Admit, Json, Routes, header, read_body, require_json
from functions.shared.readiness import Readiness

EVENT_LIMIT = 64 * 1024
BATCH_LIMIT = 2 * 1024 * 1024


def app(
    publisher: Callable[[], Publishes], admit: Admit | None = None, ready: Readiness | None = None
) -> Routes:
    """POST /events and POST /events/batch."""
    ingest = Ingest(publisher)

    async def post_event(request: Request) -> Response:
        require_json(request)
        body = await read_body(request, limit=EVENT_LIMIT)
        accepted = await ingest.one(body, header(request, b"idempotency-key"))
        location = f"/highlights/{accepted['highlightId']}"
        return Json(orjson.dumps(accepted), 202, {"Location": location})

    async def post_batch(request: Request) -> Response:
        require_json(request)
        body = await read_body(request, limit=BATCH_LIMIT)
        accepted = await ingest.batch(body, header(request, b"idempotency-key"))
        return Json(orjson.dumps(accepted), 202)

    return Routes(
        {"/events": {"POST": post_event}, "/events/batch": {"POST": post_batch}},
        publisher,
        admit,
        ready,
    )
