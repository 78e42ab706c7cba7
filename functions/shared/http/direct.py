"""Requests for a function, past functions-framework's router and middleware.

They cost a quarter of what a bare function costs in all, and answer some requests themselves, in
plain text: methods such as PROPFIND, a path with a line break in it, /robots.txt.
"""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]


def serve_directly(handler: Handler, app: Starlette) -> None:
    """Have a handler answer all further HTTP requests to an application; it must not raise."""
    app.middleware_stack = _direct(handler, app.middleware_stack or app.build_middleware_stack())


def _direct(handler: Handler, other: ASGIApp) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await other(scope, receive, send)
            return
        response = await handler(Request(scope, receive, send))
        await response(scope, receive, send)

    return serve
