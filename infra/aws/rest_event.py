"""HTTP events of Lambda, payload format 1.0: of API Gateway's REST APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlencode

from infra.aws.asgi import AppRequest, AppResponse
from infra.aws.http_event import (
    client_address,
    continue_trace,
    request_body,
    response_body,
    response_header,
)

JOINED = "x-forwarded-for"


def matches(event: Mapping[str, Any]) -> bool:
    """Return whether an event is of this format."""
    return "httpMethod" in event and "identity" in event.get("requestContext", ())


def to_request(event: Mapping[str, Any], traceparent: str | None) -> AppRequest:
    """Return the request of an event.

    `traceparent` is that of the invocation, for a request without one.
    """
    client = client_address(event["requestContext"]["identity"].get("sourceIp") or "")
    headers = _headers(event, client, traceparent)
    return AppRequest(
        method=event["httpMethod"],
        path=unquote(event.get("path") or "/"),  # without the stage
        query=urlencode(event.get("multiValueQueryStringParameters") or {}, doseq=True).encode(),
        headers=headers,
        body=request_body(event),
        client=client,
    )


def path_prefix(event: Mapping[str, Any]) -> str:
    """Return what precedes the function's path: the stage, unless it has a domain of its own."""
    path, full_path = event.get("path") or "/", event["requestContext"].get("path") or ""
    return full_path.removesuffix(path) if full_path.endswith(path) else ""


def to_result(response: AppResponse, method: str, prefix: str) -> dict[str, Any]:
    """Return a response in the format of Lambda's result; that of HEAD has no body.

    `prefix` precedes the function's paths in the caller's URL. A body that is not UTF-8 is in
    base64.
    """
    headers: dict[str, list[str]] = {}
    for name, value in (response_header(each, prefix) for each in response.headers):
        headers.setdefault(name, []).append(value)
    body = response_body(b"" if method == "HEAD" else response.body)
    return {"statusCode": response.status, "multiValueHeaders": headers, **body}


def _headers(
    event: Mapping[str, Any], client: str, traceparent: str | None
) -> list[tuple[bytes, bytes]]:
    headers = event.get("multiValueHeaders") or {}
    lines = [(name.lower(), value) for name, values in headers.items() for value in values]
    forwarded = [value for name, value in lines if name == JOINED]
    if client:  # at the end, as a gateway does: clients can write what comes before
        forwarded.append(client)
    own = {JOINED: ", ".join(forwarded)} if forwarded else {}
    own |= {name: value for name, value in lines if name == "traceparent"}
    continue_trace(own, traceparent)
    lines = [(name, value) for name, value in lines if name not in (JOINED, "traceparent")]
    return [(name.encode(), value.encode()) for name, value in (*lines, *own.items())]
