"""The HTTP face of consume-goal, for a trigger."""

import logging
from collections.abc import Callable, Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.consume_goal.consume import Consume
from functions.shared.http.readiness import Readiness
from functions.shared.http.request_body import read_body
from functions.shared.http.responses import Json
from functions.shared.http.routing import Routes
from functions.shared.inbound.envelopes import failures_answer, open_envelope
from functions.shared.inbound.received_record import RejectedRecord
from functions.shared.observability.metrics import exposition

BODY_LIMIT = 16 * 1024 * 1024
FAILURES_LOGGED = 50

log = logging.getLogger(__name__)


def app(consume: Callable[[], Consume], ready: Readiness | None = None) -> Routes:
    """POST / with the records of a batch, and GET /metrics."""

    async def take(request: Request) -> Response:
        body = await read_body(request, limit=BODY_LIMIT)
        deliveries = open_envelope(request.headers, body)
        failures = await consume().take(deliveries)
        _log(failures)
        answer = failures_answer(failures)
        return Json(orjson.dumps(answer))

    async def metrics(_: Request) -> Response:
        return Response(exposition(), media_type="text/plain; version=0.0.4")

    return Routes({"/": {"POST": take}, "/metrics": {"GET": metrics}}, consume, ready=ready)


def _log(failures: Sequence[RejectedRecord]) -> None:
    for failure in failures[:FAILURES_LOGGED]:
        log.warning("record refused", extra={"fields": {"reason": failure.reason}})
    if len(failures) > FAILURES_LOGGED:
        log.warning("more records refused", extra={"fields": {"records": len(failures)}})
