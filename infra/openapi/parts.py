"""The parts that both OpenAPI documents have, as dictionaries of their JSON."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from infra.openapi.response_models import Health, ProblemDetails
from infra.openapi.schemas import Json, reference, schemas

CORRELATION_ID = "X-Correlation-Id"
SHARED_HEADERS = {
    CORRELATION_ID: "4bf92f3577b34da6a3ce929d0e0e4736",
    "RateLimit": '"caller";r=19;t=1',
    "RateLimit-Policy": '"caller";q=20;w=2',
}


def document(
    title: str, tag: Json, description: str, paths: Json, models: list[type[BaseModel]]
) -> Json:
    """Return a document with `paths` and /health, and the schemas of `models`."""
    health = {
        "operationId": "getHealth",
        "tags": ["service"],
        "summary": "Say that the service is alive",
        "responses": {
            "200": response("Alive", reference(Health), example={"status": "ok"})
            | {"headers": described({}, [CORRELATION_ID])}
        },
        "security": [],
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "description": description,
            "version": "1",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [tag, {"name": "service", "description": "How the service is"}],
        "security": [{}, {"apiKey": []}],
        "paths": {**paths, "/health": {"get": health}},
        "components": {
            "headers": {
                name: header(_DESCRIPTIONS[name], example)
                for name, example in SHARED_HEADERS.items()
            },
            "schemas": schemas([*models, ProblemDetails, Health]),
            "securitySchemes": {"apiKey": _API_KEY},
        },
    }


def response(
    description: str, schema: Json, headers: Mapping[str, str] | None = None, **example: object
) -> Json:
    """Return a response with a JSON body; `example` is its `example` or its `examples`.

    `headers` are examples of its headers, by name.
    """
    return {
        "description": description,
        "headers": described(headers or {}),
        "content": {"application/json": {"schema": schema, **example}},
    }


def described(headers: Mapping[str, str], shared: Iterable[str] = SHARED_HEADERS) -> Json:
    """Return the headers of a response, of which these are examples, and shared ones."""
    references = {name: {"$ref": f"#/components/headers/{name}"} for name in shared}
    return references | {
        name: header(_DESCRIPTIONS[name], example) for name, example in headers.items()
    }


def header(description: str, example: str) -> Json:
    """Return a header of any text."""
    return {"description": description, "schema": {"type": "string"}, "example": example}


_DESCRIPTIONS = {
    "Accept": "The media type to send",
    "Cache-Control": "How long a cache may keep the answer",
    "Content-Language": "Where there are several languages: that of title and summary",
    "ETag": "Names this representation, for If-None-Match",
    "Link": "Where to read on, as references that are relative to this one",
    "Location": "The highlight that the event becomes, if one is expected",
    "RateLimit": "Where there is a limit: how many requests are left, and when there is one more",
    "RateLimit-Policy": "Where there is a limit: how many requests in how many seconds",
    "Retry-After": "The seconds to wait",
    "Vary": "Where there are several languages: the answer depends on this header of the request",
    "WWW-Authenticate": "How to send a key",
    "X-Cache": "Of a list that may be cached: whether it was, `hit` or `miss`",
    CORRELATION_ID: "The trace id, which the logs have too",
}
_API_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "One of the service's API keys, where it has any.",
}
