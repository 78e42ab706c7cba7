"""The `metadata` of an event: the feed's own JSON, stored and returned unchanged."""

from math import isfinite
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field

MAX_BYTES = 2048
MAX_LEVELS = 32
MAX_INTEGER, MIN_INTEGER = 2**64 - 1, -(2**63)
TOO_LARGE = f"must have at most {MAX_BYTES} bytes as JSON"


def _storable(metadata: dict[Any, Any]) -> dict[Any, Any]:
    """Raise ValueError for what would not be returned unchanged, or not at all."""
    _check(metadata)
    if len(orjson.dumps(metadata)) > MAX_BYTES:
        raise ValueError(TOO_LARGE)
    return metadata


def _check(metadata: dict[Any, Any]) -> None:
    to_check: list[tuple[object, int]] = [(metadata, MAX_LEVELS)]
    count = 0
    while to_check:
        value, levels = to_check.pop()
        if levels == 0:
            raise ValueError(f"must have at most {MAX_LEVELS} levels")
        match value:
            case dict() | list():
                count += len(value)
                if count > MAX_BYTES:  # each takes a byte at least; a million would take long
                    raise ValueError(TOO_LARGE)
                members = [*value, *value.values()] if isinstance(value, dict) else value
                to_check += [(member, levels - 1) for member in members]
            case str() if "\0" in value:
                raise ValueError("must not contain the NUL character")
            case bool() | None:
                pass
            case int() if not MIN_INTEGER <= value <= MAX_INTEGER:
                raise ValueError("must hold no integer of more than 64 bits")
            case float() if not isfinite(value):
                raise ValueError("must hold finite numbers")


Metadata = Annotated[
    dict[Any, Any],  # of texts, but `str` would have white space stripped
    AfterValidator(_storable),
    Field(description=f"The feed's own, of at most {MAX_BYTES} bytes; given back as it is."),
]
