"""JSON responses, and 304 for a client that has the content already."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from functions.shared.http.entity_tags import etag_of, matches_etag
from functions.shared.observability.metrics import exposition


def json_response(
    body: bytes,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """Return a response of one line of JSON; a terminal needs the line's end before its prompt."""
    return Response(body + b"\n", status, headers, media_type)


def metrics_response() -> Response:
    """Return all counters of the process, in Prometheus' text format."""
    return Response(exposition(), media_type="text/plain; version=0.0.4")


def conditional_json_response(
    request: Request,
    body: bytes,
    *,
    etag: str | None = None,
    link: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return 200 with a JSON body, or 304 if the client has the body with this entity tag."""
    etag = etag or etag_of(body)
    headers = {"ETag": etag, **(headers or {})}
    if link:
        headers["Link"] = link
    if matches_etag(request, etag):
        return Response(status_code=304, headers=headers)
    return json_response(body, headers=headers)
