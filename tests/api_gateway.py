"""API Gateway's HTTP API in front of functions on Lambda, as a transport for httpx.

The events are those of payload format 2.0, and the answers become HTTP as its documentation says.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import httpx

from tests.lambda_runtime import Runtime

ROUTES = {
    "/events": "ingest_event",
    "/events/batch": "ingest_event",
    "/highlights": "list_highlights",
    "/highlights/": "get_highlight",
}
SOURCE = "192.0.2.7"


class ApiGateway(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Routes requests to instances by their function's name; answers come one at a time."""

    def __init__(self, functions: Mapping[str, Runtime], stage: str = "$default") -> None:
        self._functions = functions
        self._stage = stage

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Invoke the function of the request's path with its event."""
        path = request.url.path
        function = ROUTES.get(path) or ROUTES[path[: path.rfind("/") + 1]]
        event = event_of(request, request.read(), stage=self._stage)
        return response_of(self._functions[function].invoke(event))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do the same for a client that is asynchronous."""
        await request.aread()
        return self.handle_request(request)


def event_of(request: httpx.Request, body: bytes, *, stage: str = "$default") -> dict[str, Any]:
    """The event of a request; a body of a type that is no text comes as base64."""
    headers: dict[str, str] = {}
    for name, value in request.headers.multi_items():
        if name != "cookie":
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    is_text = _is_text(headers.get("content-type", ""), body)
    path = request.url.path if stage == "$default" else f"/{stage}{request.url.path}"
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.url.query.decode(),
        "headers": {**headers, "x-forwarded-for": SOURCE},
        "requestContext": {
            "http": {"method": request.method, "path": path, "sourceIp": SOURCE},
            "stage": stage,
        },
        "isBase64Encoded": not is_text,
    }
    if body:
        event["body"] = body.decode() if is_text else b64encode(body).decode()
    if cookies := request.headers.get("cookie"):
        event["cookies"] = cookies.split("; ")
    return event


def _is_text(content_type: str, body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return content_type.startswith(("text/", "application/json"))


def response_of(response: Mapping[str, Any]) -> httpx.Response:
    """What the caller gets."""
    body = response["body"]
    headers = [*response["headers"].items()]
    headers += [("set-cookie", cookie) for cookie in response.get("cookies", ())]
    content = b64decode(body) if response["isBase64Encoded"] else body.encode()
    return httpx.Response(response["statusCode"], headers=headers, stream=httpx.ByteStream(content))
