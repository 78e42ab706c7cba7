"""The `Idempotency-Key` header, which makes the retry of an event without an eventId harmless."""

import re
from collections.abc import Sequence

from functions.shared.errors import InvalidInput

KEY_LIMIT = 120  # characters; leaves room in an eventId for an index
INDEX_SEPARATOR = "/#"  # between the key of a batch and the index of an event
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def parse_event_key(lines: Sequence[bytes]) -> str | None:
    """Parse the key of a single event from the header's lines; None without one.

    It may be quoted, as its draft standard has it, and cannot equal the key of an event in a batch.

    Raises:
        InvalidInput: the key cannot be an eventId, or is ambiguous.
    """
    key = parse_batch_key(lines)
    if key is not None:
        _, separator, index = key.rpartition(INDEX_SEPARATOR)
        if separator and index.isdecimal():
            raise _refused(
                f"must not end with {INDEX_SEPARATOR} and a number, as an item in a batch has it"
            )
    return key


def parse_batch_key(lines: Sequence[bytes]) -> str | None:
    """Parse the key of a batch from the header's lines; None without one.

    Raises:
        InvalidInput: the key cannot be part of an eventId, or is ambiguous.
    """
    if not lines:
        return None
    if any(line != lines[0] for line in lines):
        raise _refused("must come once")
    try:
        key = lines[0].decode().strip(" \t")
    except UnicodeDecodeError:
        raise _refused("must be UTF-8") from None
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not key.strip():
        return None
    if len(key) > KEY_LIMIT or CONTROL.search(key):
        raise _refused(f"must have at most {KEY_LIMIT} characters, and no control character")
    if key != key.strip():
        raise _refused("must not begin or end with white space")
    return key


def item_key(batch_key: str, index: int) -> str:
    """Return the key of an event in a batch, by its index in the array."""
    return f"{batch_key}{INDEX_SEPARATOR}{index}"


def _refused(why: str) -> InvalidInput:
    return InvalidInput({"Idempotency-Key": [why]})
