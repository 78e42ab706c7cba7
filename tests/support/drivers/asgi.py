"""A client that calls a function's HTTP routes in process, without a server."""

import asyncio
from typing import Any

import httpx
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from functions.shared.http.routing import Router


def check_lines_end(answer: httpx.Response) -> None:
    """Check that a JSON answer ends with a newline, which its Content-Length counts.

    Unless a gateway has compressed it: then its length is not known before.
    """
    is_json = answer.headers.get("content-type", "").endswith("json")
    if is_json and answer.content and "content-encoding" not in answer.headers:
        assert answer.content.endswith(b"\n")
        assert int(answer.headers["content-length"]) == len(answer.content)


class Client:
    """Sends requests to a function's routes: `send` in an event loop, the others without one."""

    def __init__(self, routes: Router) -> None:
        self._routes = routes

    async def send(self, method: str, path: str | httpx.URL, **request: Any) -> httpx.Response:
        """Return the answer to a request, given as httpx takes it."""
        transport = httpx.ASGITransport(self._serve)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answer = await client.request(method, path, **request)
        check_lines_end(answer)
        return answer

    def request(self, method: str, path: str | httpx.URL, **request: Any) -> httpx.Response:
        """Return the answer to a request, in an event loop of its own."""
        return asyncio.run(self.send(method, path, **request))

    def get(self, path: str, **request: Any) -> httpx.Response:
        """Return the answer to a GET."""
        return self.request("GET", path, **request)

    def post(self, path: str, **request: Any) -> httpx.Response:
        """Return the answer to a POST."""
        return self.request("POST", path, **request)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._routes(Request(scope, receive))
        await response(scope, receive, send)
