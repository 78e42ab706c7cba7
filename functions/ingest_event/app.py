"""The HTTP face of ingest-event."""

from collections.abc import Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.ingest_event.ingest import EventPublisher, Ingest
from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.highlight import Expectation
from functions.shared.http.readiness import Readiness
from functions.shared.http.request_body import read_json
from functions.shared.http.responses import Json
from functions.shared.http.routing import Admit, Routes, header_lines

EVENT_LIMIT = 64 * 1024
BATCH_LIMIT = 2 * 1024 * 1024


def app(
    publisher: Callable[[], EventPublisher],
    rules: EventRules,
    *,
    admit: Admit | None = None,
    ready: Readiness | None = None,
    highlights_url: str = "",
) -> Routes:
    """POST /events and POST /events/batch; highlights are served at `highlights_url`, or here."""
    ingest = Ingest(publisher, rules)

    async def post_event(request: Request) -> Response:
        body = await read_json(request, limit=EVENT_LIMIT)
        accepted = await ingest.one(body, header_lines(request, b"idempotency-key"))
        headers = {}
        if accepted["highlight"] is Expectation.EXPECTED:
            headers["Location"] = f"{highlights_url}/highlights/{accepted['highlightId']}"
        return Json(orjson.dumps(accepted), 202, headers)

    async def post_batch(request: Request) -> Response:
        body = await read_json(request, limit=BATCH_LIMIT)
        accepted = await ingest.batch(body, header_lines(request, b"idempotency-key"))
        return Json(orjson.dumps(accepted), 202)

    return Routes(
        {"/events": {"POST": post_event}, "/events/batch": {"POST": post_batch}},
        publisher,
        admit,
        ready,
    )
