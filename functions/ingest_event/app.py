"""The HTTP routes of ingest-event."""

from collections.abc import Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.ingest_event.ingest import EventIngester, EventPublisher
from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.highlight import Expectation
from functions.shared.http.headers import header_lines
from functions.shared.http.readiness import Readiness
from functions.shared.http.request_body import read_json
from functions.shared.http.responses import json_response
from functions.shared.http.routing import Guard, Router

EVENT_LIMIT = 64 * 1024
BATCH_LIMIT = 2 * 1024 * 1024


def build_app(
    publisher: Callable[[], EventPublisher],
    rules: EventRules,
    *,
    guard: Guard | None = None,
    readiness: Readiness | None = None,
    highlights_url: str = "",
) -> Router:
    """Return the routes POST /events and POST /events/batch.

    `highlights_url` is where highlights are served, without a slash at its end; "" is here.
    """
    ingester = EventIngester(publisher, rules)

    async def post_event(request: Request) -> Response:
        body = await read_json(request, limit=EVENT_LIMIT)
        accepted = await ingester.ingest(body, header_lines(request, b"idempotency-key"))
        headers = {}
        if accepted["highlight"] is Expectation.EXPECTED:
            headers["Location"] = f"{highlights_url}/highlights/{accepted['highlightId']}"
        return json_response(orjson.dumps(accepted), 202, headers)

    async def post_batch(request: Request) -> Response:
        body = await read_json(request, limit=BATCH_LIMIT)
        accepted = await ingester.ingest_batch(body, header_lines(request, b"idempotency-key"))
        return json_response(orjson.dumps(accepted), 202)

    return Router(
        {"/events": {"POST": post_event}, "/events/batch": {"POST": post_batch}},
        publisher,
        guard,
        readiness,
    )
