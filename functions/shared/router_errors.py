"""Errors that functions-framework's router answers itself, before any function.

Methods such as PROPFIND, a path with a line break in it, /robots.txt and /favicon.ico: it
tells of them in plain text.
"""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response


def answer_with(handler: Callable[[Request], Awaitable[Response]], app: Starlette) -> None:
    """Have a handler answer what the router of an application refuses."""

    async def answer(request: Request, _: Exception) -> Response:
        return await handler(request)

    app.add_exception_handler(HTTPException, answer)
    app.middleware_stack = None  # which is made anew, with the handler, at the next request
