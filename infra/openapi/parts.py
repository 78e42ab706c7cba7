"""The parts that both OpenAPI documents have, as dictionaries of their JSON."""

from pydantic import BaseModel

from infra.openapi.response_models import Health, ProblemDetails
from infra.openapi.schemas import Json, reference, schemas


def document(
    title: str, tag: Json, description: str, paths: Json, models: list[type[BaseModel]]
) -> Json:
    """Return a document with `paths` and /health, and the schemas of `models`."""
    health = {
        "operationId": "health",
        "tags": ["service"],
        "summary": "Say that the service is alive",
        "responses": {"200": response("Alive", reference(Health))},
        "security": [],
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "description": description, "version": "1"},
        "servers": [{"url": "/"}],
        "tags": [tag, {"name": "service", "description": "How the service is"}],
        "security": [{}, {"apiKey": []}],
        "paths": {**paths, "/health": {"get": health}},
        "components": {
            "schemas": schemas([*models, ProblemDetails, Health]),
            "securitySchemes": {"apiKey": _API_KEY},
        },
    }


def response(
    description: str, schema: Json, headers: Json | None = None, **example: object
) -> Json:
    """Return a response with a JSON body; `example` is its `example` or its `examples`."""
    content = {"application/json": {"schema": schema, **example}}
    body = {"description": description, "content": content}
    return {**body, "headers": headers} if headers else body


def header(description: str) -> Json:
    """Return a header of any text."""
    return {"description": description, "schema": {"type": "string"}}


def problems(*statuses: int) -> Json:
    """Return the error responses of some statuses, each with problem details."""
    content = {"application/problem+json": {"schema": reference(ProblemDetails)}}
    responses = {
        status: {"description": _PROBLEMS[status], "content": content} for status in statuses
    }
    return {
        str(status): {**body, "headers": _RETRY_HEADERS[status]}
        if status in _RETRY_HEADERS
        else body
        for status, body in responses.items()
    }


_PROBLEMS = {
    400: "A field or parameter is refused; `errors` says why",
    401: "The service has API keys, and the request brings none of them",
    404: "There is no such highlight",
    408: "The body does not arrive in time",
    413: "The body, or what it unpacks to, is larger than 64 KiB (a batch: 2 MiB)",
    415: "The body does not call itself JSON, or has another content coding than gzip",
    429: "The caller sends too many requests; try again after `Retry-After`",
    431: "The header is larger than 16 KiB",
    503: "A service behind this one does not answer in time; try again after `Retry-After`",
}
_API_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "One of the service's API keys, where it has any.",
}
_RETRY_HEADERS = {
    429: {
        "Retry-After": header("The seconds to wait"),
        "RateLimit": header("What is left to this caller, and when it is renewed"),
        "RateLimit-Policy": header("How many requests in how many seconds"),
    },
    503: {"Retry-After": header("The seconds to wait")},
}
