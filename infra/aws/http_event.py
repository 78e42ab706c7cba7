"""HTTP events of Lambda, payload format 2.0: of function URLs and of API Gateway's HTTP APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from functions.shared.observability import trace
from infra.aws.asgi import AppRequest, AppResponse, Header

NO_STAGE = "$default"


def matches(event: Mapping[str, Any]) -> bool:
    """Return whether an event is of this format."""
    return event.get("version") == "2.0" and "http" in event.get("requestContext", ())


def to_request(event: Mapping[str, Any], traceparent: str | None) -> AppRequest:
    """Return the request of an event.

    `traceparent` is that of the invocation, for a request without one.
    """
    client = client_address(event["requestContext"]["http"].get("sourceIp", ""))
    headers = _headers(event, client, traceparent)
    return AppRequest(
        method=event["requestContext"]["http"]["method"],
        path=_path(event),
        query=event.get("rawQueryString", "").encode(),
        headers=[(name.encode(), value.encode()) for name, value in headers.items()],
        body=request_body(event),
        client=client,
    )


def to_result(response: AppResponse, method: str, prefix: str) -> dict[str, Any]:
    """Return a response in the format of Lambda's result; that of HEAD has no body.

    `prefix` precedes the function's paths in the caller's URL. Repeated headers are joined, apart
    from cookies, which have a member of their own. A body that is not UTF-8 is in base64.
    """
    headers: dict[str, str] = {}
    cookies = []
    for name, value in (response_header(each, prefix) for each in response.headers):
        if name == "set-cookie":
            cookies.append(value)
        else:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    body = response_body(b"" if method == "HEAD" else response.body)
    result = {"statusCode": response.status, "headers": headers, **body}
    return {**result, "cookies": cookies} if cookies else result


def path_prefix(event: Mapping[str, Any]) -> str:
    """Return what precedes the function's path: the stage, if it has a name."""
    stage = event["requestContext"].get("stage", NO_STAGE)
    is_named = stage != NO_STAGE and f"{event.get('rawPath')}/".startswith(f"/{stage}/")
    return f"/{stage}" if is_named else ""


def response_header(header: Header, prefix: str) -> tuple[str, str]:
    """Return the name and value of a header; a Location gets the prefix of the caller's URL."""
    name, value = header[0].decode("latin-1").lower(), header[1].decode("latin-1")
    return name, f"{prefix}{value}" if name == "location" and value.startswith("/") else value


def _path(event: Mapping[str, Any]) -> str:
    return unquote((event.get("rawPath") or "").removeprefix(path_prefix(event)) or "/")


def _headers(event: Mapping[str, Any], client: str, traceparent: str | None) -> dict[str, str]:
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    if event.get("cookies"):
        headers["cookie"] = "; ".join(event["cookies"])
    if client:  # at the end, as a gateway does: clients can write what comes before
        forwarded = headers.get("x-forwarded-for")
        headers["x-forwarded-for"] = f"{forwarded}, {client}" if forwarded else client
    continue_trace(headers, traceparent)
    return headers


def continue_trace(headers: dict[str, str], traceparent: str | None) -> None:
    """Add the traceparent of the invocation to a request without a valid one."""
    if traceparent and not trace.is_valid(headers.get("traceparent", "")):
        headers["traceparent"] = traceparent


def client_address(source: str) -> str:
    """Return an address without the port, which it has where clients use certificates (mTLS)."""
    if source.startswith("["):
        return source[1:].partition("]")[0]
    return source.partition(":")[0] if source.count(":") == 1 else source


def request_body(event: Mapping[str, Any]) -> bytes:
    """Return the body of an event's request, which is text or base64."""
    body: str = event.get("body") or ""
    return b64decode(body) if event.get("isBase64Encoded") else body.encode()


def response_body(body: bytes) -> dict[str, Any]:
    """Return the two members of a result for the body."""
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": b64encode(body).decode(), "isBase64Encoded": True}
