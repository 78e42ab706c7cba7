"""Decoding of a record's value, with the reason where it is not JSON."""

import base64
import codecs
from typing import Any, NamedTuple

import orjson

BYTE_ORDER_MARKS = {  # UTF-32's first: they begin with UTF-16's
    codecs.BOM_UTF8: "UTF-8",
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
NO_VALUE = "the record has no value"


class Decoded(NamedTuple):
    """The data of a value, or None and why the value cannot be decoded."""

    data: Any
    error: str | None = None


def decode_json(value: bytes) -> Decoded:
    """Decode a value in JSON."""
    try:
        return Decoded(orjson.loads(value))
    except orjson.JSONDecodeError as error:
        return Decoded(None, _reason(value, error))


def decode_base64(value: Any) -> Decoded:
    """Decode a value in JSON in base64; None is a tombstone's."""
    if value is None:
        return Decoded(None, NO_VALUE)
    try:
        return decode_json(base64.b64decode(value, validate=True))
    except (TypeError, ValueError):
        return Decoded(None, "the value is no base64")


def _reason(value: bytes, error: orjson.JSONDecodeError) -> str:
    if not value.strip():
        return "the value is empty"
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if value.startswith(mark):
            return f"the value begins with a byte order mark ({encoding}): JSON is UTF-8 without"
    try:
        value.decode()
    except UnicodeDecodeError as undecodable:
        offset = undecodable.start
        return f"the value is not UTF-8: byte 0x{value[offset]:02x} at offset {offset}"
    return f"the value is no JSON: {error.msg} at line {error.lineno} column {error.colno}"
