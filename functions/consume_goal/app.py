"""The HTTP routes of consume-goal, which a trigger calls."""

import logging
from collections.abc import Callable, Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.consume_goal.consume import EventConsumer
from functions.shared.http.readiness import Readiness
from functions.shared.http.request_body import read_body
from functions.shared.http.responses import json_response, metrics_response
from functions.shared.http.routing import Router
from functions.shared.inbound.envelopes import batch_response, parse_envelope
from functions.shared.inbound.received_record import RejectedRecord

BODY_LIMIT = 16 * 1024 * 1024
MAX_LOGGED = 50

log = logging.getLogger(__name__)


def build_app(consumer: Callable[[], EventConsumer], readiness: Readiness | None = None) -> Router:
    """Return the routes: POST / with the records of a batch, and GET /metrics."""

    async def consume(request: Request) -> Response:
        body = await read_body(request, limit=BODY_LIMIT)
        records = parse_envelope(request.headers, body)
        rejected = await consumer().consume(records)
        _log(rejected)
        return json_response(orjson.dumps(batch_response(rejected)))

    async def metrics(_: Request) -> Response:
        return metrics_response()

    return Router(
        {"/": {"POST": consume}, "/metrics": {"GET": metrics}}, consumer, readiness=readiness
    )


def _log(rejected: Sequence[RejectedRecord]) -> None:
    for each in rejected[:MAX_LOGGED]:
        log.warning("record refused", extra={"fields": {"reason": each.reason}})
    if len(rejected) > MAX_LOGGED:
        log.warning("more records refused", extra={"fields": {"records": len(rejected)}})
