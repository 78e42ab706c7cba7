"""The `metadata` of an event: the feed's own JSON, kept and given back as it is."""

from math import isfinite
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field

BYTES = 2048
LEVELS = 32
LARGEST, SMALLEST = 2**64 - 1, -(2**63)


def _storable(metadata: dict[Any, Any]) -> dict[Any, Any]:
    """Refuse what would not come back as it went in, or not at all."""
    _check(metadata, LEVELS)
    if len(orjson.dumps(metadata)) > BYTES:
        raise ValueError(f"must have at most {BYTES} bytes as JSON")
    return metadata


def _check(value: object, levels: int) -> None:
    if levels == 0:
        raise ValueError(f"must have at most {LEVELS} levels")
    match value:
        case dict():
            for name, member in value.items():
                _check(name, levels)
                _check(member, levels - 1)
        case list():
            for member in value:
                _check(member, levels - 1)
        case str() if "\0" in value:
            raise ValueError("must not contain the NUL character")
        case bool() | None:
            pass
        case int() if not SMALLEST <= value <= LARGEST:
            raise ValueError("must hold no integer of more than 64 bits")
        case float() if not isfinite(value):
            raise ValueError("must hold finite numbers")


Metadata = Annotated[
    dict[Any, Any],  # of texts, but `str` would have white space stripped
    AfterValidator(_storable),
    Field(description=f"The feed's own, of at most {BYTES} bytes; given back as it is."),
]
