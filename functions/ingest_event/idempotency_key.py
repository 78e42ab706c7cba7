"""The `Idempotency-Key` header: what makes the retry of an event without an eventId harmless."""

import re
from collections.abc import Sequence

from functions.shared.errors import InvalidInput

KEY_LIMIT = 120  # characters; leaves room in an eventId for an item's index
IN_BATCH = "/#"  # stands between the key of a batch and the index of an item
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def key_of_event(lines: Sequence[bytes]) -> str | None:
    """The key of one event, by its header's lines: bare, or quoted as its draft standard has it.

    It is no key of an item in a batch, whatever the batch's own key is.

    Raises:
        InvalidInput: it cannot be an eventId, or might be taken for another key.
    """
    key = key_of_batch(lines)
    if key is not None:
        _, mark, index = key.rpartition(IN_BATCH)
        if mark and index.isdecimal():
            raise _refused(
                f"must not end with {IN_BATCH} and a number, as an item in a batch has it"
            )
    return key


def key_of_batch(lines: Sequence[bytes]) -> str | None:
    """The key of a batch, of which `key_of_item` makes those of its events; read as any other.

    Raises:
        InvalidInput: it cannot be part of an eventId, or might be taken for another key.
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


def key_of_item(key: str, index: int) -> str:
    """The key of an item in a batch; the same batch under the same key has the same ones."""
    return f"{key}{IN_BATCH}{index}"


def _refused(why: str) -> InvalidInput:
    return InvalidInput({"Idempotency-Key": [why]})
