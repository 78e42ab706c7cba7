"""HTTP events of Lambda, payload format 1.0: of API Gateway's REST APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlencode

from infra.aws.asgi import Answer, Call
from infra.aws.http_event import (
    client_address,
    continue_trace,
    header_of,
    request_body,
    response_body,
)

JOINED = "x-forwarded-for"


def is_rest_event(event: Mapping[str, Any]) -> bool:
    """Whether it is one of these."""
    return "httpMethod" in event and "identity" in event.get("requestContext", ())


def call_of(event: Mapping[str, Any], traceparent: str | None) -> Call:
    """The request that an event stands for.

    `traceparent` is of the invocation, and serves a request that brings none.
    """
    client = client_address(event["requestContext"]["identity"].get("sourceIp") or "")
    headers = _headers(event, client, traceparent)
    return Call(
        method=event["httpMethod"],
        path=unquote(event.get("path") or "/"),  # without the stage
        query=urlencode(event.get("multiValueQueryStringParameters") or {}, doseq=True).encode(),
        headers=headers,
        body=request_body(event),
        client=client,
    )


def prefix_of(event: Mapping[str, Any]) -> str:
    """What stands before the path that the function serves: the stage, but for a domain of it."""
    path, whole = event.get("path") or "/", event["requestContext"].get("path") or ""
    return whole.removesuffix(path) if whole.endswith(path) else ""


def response_of(answer: Answer, method: str, prefix: str) -> dict[str, Any]:
    """An answer as Lambda hands it back: of HEAD without its body, as every server does.

    `prefix` is what callers write before the paths that the function serves. A body that is no text
    goes as base64.
    """
    headers: dict[str, list[str]] = {}
    for name, value in (header_of(each, prefix) for each in answer.headers):
        headers.setdefault(name, []).append(value)
    body = response_body(b"" if method == "HEAD" else answer.body)
    return {"statusCode": answer.status, "multiValueHeaders": headers, **body}


def _headers(
    event: Mapping[str, Any], client: str, traceparent: str | None
) -> list[tuple[bytes, bytes]]:
    brought = event.get("multiValueHeaders") or {}
    lines = [(name.lower(), value) for name, values in brought.items() for value in values]
    forwarded = [value for name, value in lines if name == JOINED]
    if client:  # at the end of what anybody can write, as a gateway does
        forwarded.append(client)
    own = {JOINED: ", ".join(forwarded)} if forwarded else {}
    own |= {name: value for name, value in lines if name == "traceparent"}
    continue_trace(own, traceparent)
    lines = [(name, value) for name, value in lines if name not in (JOINED, "traceparent")]
    return [(name.encode(), value.encode()) for name, value in (*lines, *own.items())]
