"""The bare peer: a function that reads its request and returns a fixed answer."""

import os

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

STATUS = int(os.environ["BARE_STATUS"])
BODY = os.environ["BARE_BODY"].encode()


@functions_framework.aio.http
async def bare(request: Request) -> Response:
    """Answer any request the same."""
    await request.body()
    return Response(BODY, STATUS, media_type="application/json")
