"""The HTTP route of stream-highlights."""

from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from functions.shared.http.readiness import Readiness
from functions.shared.http.routing import Guard, Router

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def build_app(
    warm_up: Callable[[], object],
    guard: Guard | None = None,
    readiness: Readiness | None = None,
) -> Router:
    """Return the route GET /highlights/stream."""

    async def stream(_: Request) -> Response:
        return StreamingResponse(events(), headers=HEADERS, media_type="text/event-stream")

    async def events() -> AsyncIterator[bytes]:
        yield b": GoalStream\n\n"

    return Router({"/highlights/stream": {"GET": stream}}, warm_up, guard, readiness)
