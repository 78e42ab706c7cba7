"""The OpenAPI documents, and validators for what they describe."""

from collections.abc import Iterator
from typing import Any

from openapi_schema_validator import OAS31Validator, oas31_format_checker

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
