"""JSON schemas closed for validation: unknown fields and feature-flagged ones are problems."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parent
OBJECT = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
NAMES = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"}, "namespace": {"type": "string"},
        "labels": NAMES, "annotations": NAMES,
    },
    "required": ["name"],
    "additionalProperties": False,
}  # fmt: skip


def load(name: str) -> dict[str, Any]:
    """A stored schema."""
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text())
    return schema


def of_kind(kind: str) -> dict[str, Any]:
    """The closed schema of a custom kind."""
    schema = load(kind)
    properties = {**OBJECT, **schema["properties"], "metadata": METADATA}
    made: dict[str, Any] = closed(
        {**schema, "properties": properties, "required": ["metadata", "spec"]}
    )
    return made


def closed(schema: Any) -> Any:
    """Return the schema with unknown properties forbidden in every object that lists its own.

    Knative's leave open in many places what else there may be, for what a newer version may know.
    """
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(each) for name, each in schema.items()}
    if isinstance(schema.get("properties"), dict):
        made.setdefault("additionalProperties", False)
    return made


def problems(schema: Any, document: Any) -> list[str]:
    """Return the validation errors of a document, each with its path."""
    errors = Draft202012Validator(schema).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in errors]


def noted(schema: Any, document: Any, note: str) -> Iterator[str]:
    """Return the schema's descriptions that start with `note` of fields in a document."""
    if isinstance(document, list):
        for each in document:
            yield from noted(schema.get("items", {}), each, note)
    if isinstance(document, dict):
        for name, value in document.items():
            inner = schema.get("properties", {}).get(name, {})
            if inner.get("description", "").startswith(note):
                yield f"{name}: {inner['description']}"
            yield from noted(inner, value, note)
