"""The AsyncAPI document, and what it says of a record."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator

from infra.asyncapi.document import document

DOCUMENT = document()
MESSAGES: Mapping[str, Any] = DOCUMENT["components"]["messages"]

Headers = Iterable[tuple[str, str | bytes | None]]


def errors(schema: Mapping[str, Any], instance: Any) -> list[str]:
    """Return how an instance violates a schema of the document."""
    validator = Draft7Validator(
        {**schema, "components": DOCUMENT["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(instance)]


def violations(
    name: str, key: bytes | str | None, headers: Headers, value: bytes
) -> dict[str, list[str]]:
    """Return how a record with a value in JSON violates the message of that name, by its part."""
    message = MESSAGES[name]
    texts = {name: text(content) for name, content in headers if content is not None}
    found = {
        "key": errors(message["bindings"]["kafka"]["key"], text(key)),
        "headers": errors(message["headers"], texts),
        "payload": errors(message["payload"], json.loads(value)),
    }
    return {part: why for part, why in found.items() if why}


def text(content: str | bytes | None) -> str | None:
    """Return a header or key as text."""
    return content.decode(errors="replace") if isinstance(content, bytes) else content


def topic_of(operation: str) -> str:
    """Return the topic of an operation."""
    channel = DOCUMENT["operations"][operation]["channel"]["$ref"].rpartition("/")[2]
    topic: str = DOCUMENT["channels"][channel]["address"]
    return topic
