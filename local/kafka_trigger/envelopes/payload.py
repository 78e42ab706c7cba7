"""The content of a request to a function, and what may be in it."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import orjson

JSON = "application/json"
PRINTABLE = re.compile(r"[ -~]+")


class Payload(NamedTuple):
    """A request's content type, if it has one, its body, and its other headers."""

    content_type: str | None
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})


def is_printable(text: str) -> bool:
    """Return whether a text can be the value of an HTTP header as it is."""
    return PRINTABLE.fullmatch(text) is not None


def is_json(value: bytes, content_type: str | None) -> bool:
    """Return whether a value is JSON, and its record does not declare another content type."""
    return (content_type is None or _is_json_type(content_type)) and _is_valid_json(value)


@lru_cache(maxsize=1024)
def _is_json_type(content_type: str) -> bool:
    """Whether a content type is one of JSON's, whatever its parameters."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == JSON or media_type.endswith("+json")


def _is_valid_json(value: bytes) -> bool:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return True
