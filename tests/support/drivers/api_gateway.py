"""API Gateway in front of functions on Lambda, as a transport for httpx.

The events are those of a REST API (payload format 1.0), as the template makes one, or of an HTTP
API or function URL (2.0); the answers become HTTP as the documentation of each says.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx

from tests.support.drivers.lambda_runtime import Runtime

ROUTES = {
    "/events": "ingest_event",
    "/events/batch": "ingest_event",
    "/highlights": "list_highlights",
    "/highlights/": "get_highlight",
    "/matches": "list_highlights",
}
SOURCE = "192.0.2.7"
STAGE = "live"


class ApiGateway(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Routes requests to instances by their function's name; answers come one at a time.

    It is a REST API, or with a name of its stage an HTTP API.
    """

    def __init__(self, functions: Mapping[str, Runtime], stage: str = "") -> None:
        self._functions = functions
        self._stage = stage

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Invoke the function of the request's path with its event."""
        path = request.url.path.removeprefix(f"/{self._stage or STAGE}")
        request.url = request.url.copy_with(path=path)  # the event has it without the stage
        runtime = self._functions[ROUTES.get(path) or ROUTES[path[: path.rfind("/") + 1]]]
        if self._stage:
            event = event_of(request, request.read(), stage=self._stage)
            return response_of(runtime.invoke(event))
        return rest_response_of(runtime.invoke(rest_event_of(request, request.read())))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do the same for an asynchronous client."""
        await request.aread()
        return self.handle_request(request)


def rest_event_of(request: httpx.Request, body: bytes) -> dict[str, Any]:
    """Return a REST API's event of a request; all media types are binary, so its body is base64."""
    headers: dict[str, list[str]] = {}
    for name, value in [*request.headers.multi_items(), ("X-Forwarded-For", SOURCE)]:
        headers.setdefault(name, []).append(value)
    query = parse_qs(request.url.query.decode(), keep_blank_values=True)
    return {
        "resource": "/",
        "path": request.url.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {
            "httpMethod": request.method,
            "identity": {"sourceIp": SOURCE},
            "path": f"/{STAGE}{request.url.path}",
            "stage": STAGE,
        },
        "body": b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def rest_response_of(response: Mapping[str, Any]) -> httpx.Response:
    """Return the response that the caller of a REST API gets."""
    assert response.keys() == {"statusCode", "multiValueHeaders", "body", "isBase64Encoded"}
    headers = [
        (name, each) for name, all_ in response["multiValueHeaders"].items() for each in all_
    ]
    return httpx.Response(
        response["statusCode"], headers=headers, stream=httpx.ByteStream(_content(response))
    )


def event_of(request: httpx.Request, body: bytes, *, stage: str = "$default") -> dict[str, Any]:
    """Return an HTTP API's event of a request; a body that is not of a text type is base64."""
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
    """Return the response that the caller of an HTTP API gets."""
    headers = [*response["headers"].items()]
    headers += [("set-cookie", cookie) for cookie in response.get("cookies", ())]
    return httpx.Response(
        response["statusCode"], headers=headers, stream=httpx.ByteStream(_content(response))
    )


def _content(response: Mapping[str, Any]) -> bytes:
    body: str = response["body"]
    return b64decode(body) if response["isBase64Encoded"] else body.encode()
