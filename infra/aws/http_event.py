"""HTTP events of Lambda, payload format 2.0: of function URLs and of API Gateway's HTTP APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from functions.shared.observability import trace
from infra.aws.asgi import Answer, Call, Header

NO_STAGE = "$default"


def is_http_event(event: Mapping[str, Any]) -> bool:
    """Whether it is one of these."""
    return event.get("version") == "2.0" and "http" in event.get("requestContext", ())


def call_of(event: Mapping[str, Any], traceparent: str | None) -> Call:
    """The request that an event stands for.

    `traceparent` is of the invocation, and serves a request that brings none.
    """
    client = client_address(event["requestContext"]["http"].get("sourceIp", ""))
    headers = _headers(event, client, traceparent)
    return Call(
        method=event["requestContext"]["http"]["method"],
        path=_path(event),
        query=event.get("rawQueryString", "").encode(),
        headers=[(name.encode(), value.encode()) for name, value in headers.items()],
        body=request_body(event),
        client=client,
    )


def response_of(answer: Answer, method: str, prefix: str) -> dict[str, Any]:
    """An answer as Lambda hands it back: of HEAD without its body, as every server does.

    `prefix` is what callers write before the paths that the function serves. Headers that come more
    than once are joined, but for cookies, which have a place of their own.
    A body that is no text goes as base64.
    """
    headers: dict[str, str] = {}
    cookies = []
    for name, value in (header_of(each, prefix) for each in answer.headers):
        if name == "set-cookie":
            cookies.append(value)
        else:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    response = {"statusCode": answer.status, "headers": headers}
    return (
        response | response_body(b"" if method == "HEAD" else answer.body) | _some(cookies=cookies)
    )


def prefix_of(event: Mapping[str, Any]) -> str:
    """What stands before the path that the function serves: the stage, if it has a name."""
    stage = event["requestContext"].get("stage", NO_STAGE)
    is_named = stage != NO_STAGE and f"{event.get('rawPath')}/".startswith(f"/{stage}/")
    return f"/{stage}" if is_named else ""


def header_of(header: Header, prefix: str) -> tuple[str, str]:
    """A header's name and value; a Location leads to what callers reach, as behind any gateway."""
    name, value = header[0].decode("latin-1").lower(), header[1].decode("latin-1")
    return name, f"{prefix}{value}" if name == "location" and value.startswith("/") else value


def _path(event: Mapping[str, Any]) -> str:
    return unquote((event.get("rawPath") or "").removeprefix(prefix_of(event)) or "/")


def _headers(event: Mapping[str, Any], client: str, traceparent: str | None) -> dict[str, str]:
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    if event.get("cookies"):
        headers["cookie"] = "; ".join(event["cookies"])
    if client:  # at the end of what anybody can write, as a gateway does
        forwarded = headers.get("x-forwarded-for")
        headers["x-forwarded-for"] = f"{forwarded}, {client}" if forwarded else client
    continue_trace(headers, traceparent)
    return headers


def continue_trace(headers: dict[str, str], traceparent: str | None) -> None:
    """Let a request that brings no trace of its own continue that of the invocation."""
    if traceparent and not trace.is_valid(headers.get("traceparent", "")):
        headers["traceparent"] = traceparent


def client_address(source: str) -> str:
    """The address without the port that stands behind it where callers show certificates."""
    if source.startswith("["):
        return source[1:].partition("]")[0]
    return source.partition(":")[0] if source.count(":") == 1 else source


def request_body(event: Mapping[str, Any]) -> bytes:
    """The body of an event's request, which comes as text or in base64."""
    body: str = event.get("body") or ""
    return b64decode(body) if event.get("isBase64Encoded") else body.encode()


def response_body(body: bytes) -> dict[str, Any]:
    """The two members of a response that hold its body."""
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": b64encode(body).decode(), "isBase64Encoded": True}


def _some(**members: list[str]) -> dict[str, list[str]]:
    return {name: member for name, member in members.items() if member}
