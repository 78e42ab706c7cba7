"""The OpenAPI documents, and validators for what they describe."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from openapi_schema_validator import OAS31Validator, oas31_format_checker

from infra.openapi.__main__ import documents
from tests.support.drivers.event_stream import StreamEvent

NAMES = ("events.json", "highlights.json")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return method, path and operation of each operation of a document."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """Return a validator for a schema in a document."""
    whole = {**schema, "components": document["components"]}
    return OAS31Validator(whole, format_checker=oas31_format_checker)


def named(name: str) -> dict[str, Any]:
    """Return a reference to a schema of a document."""
    return {"$ref": f"#/components/schemas/{name}"}


def event_errors(events: Iterable[StreamEvent]) -> list[str]:
    """Return how events of a stream violate the document, which has a schema for their data too."""
    document = documents()["highlights.json"]
    responses = document["paths"]["/highlights/stream"]["get"]["responses"]
    item = responses["200"]["content"]["text/event-stream"]["x-itemSchema"]
    data_by_name = {
        kind["properties"]["event"]["const"]: kind["properties"]["data"]["contentSchema"]
        for kind in item["oneOf"]
    }
    found = []
    for event in events:
        whole = {"event": event.name, "id": event.id, "data": json.dumps(event.data)}
        errors = [*validator(document, item).iter_errors(whole)]
        if not errors:
            errors += validator(document, data_by_name[event.name]).iter_errors(event.data)
        found += [f"{event.name}: {error.message}" for error in errors]
    return found
