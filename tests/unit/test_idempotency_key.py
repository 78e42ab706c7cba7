"""Idempotency keys: different keys never identify the same event."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from functions.ingest_event.idempotency_key import (
    KEY_LIMIT,
    item_key,
    parse_batch_key,
    parse_event_key,
)
from functions.shared.errors import InvalidInput

EVENT_ID_LIMIT = 128
HEADER_VALUES = st.text(max_size=12) | st.text('a"/#0123 \t\xa0\u3000é', max_size=8)


def accepted(text: str) -> str | None:
    """Return the key of an event, or None where it is refused or empty."""
    try:
        return parse_event_key([text.encode()])
    except InvalidInput:
        return None


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b"goal-1", "goal-1"),
        (b' \t"goal-1" ', "goal-1"),
        ("goal-à".encode(), "goal-à"),
        ("goal-Å".encode(), "goal-Å"),
        ("三笘薫/⚽️/👩\u200d🚀".encode(), "三笘薫/⚽️/👩\u200d🚀"),
        (b'"goal-1', '"goal-1'),
        (b'goal-1"', 'goal-1"'),
        (b'"', '"'),
        (b"upload/7", "upload/7"),
        (b"upload/#", "upload/#"),
        (b"upload/#7a", "upload/#7a"),
        (b"", None),
        (b'""', None),
        (b'"  "', None),
    ],
)
def test_a_key_is_decoded_as_utf_8_and_otherwise_unchanged(line: bytes, key: str | None) -> None:
    """Without the quotes of its draft standard; an empty key is none."""
    assert parse_event_key([line]) == key
    assert parse_batch_key([line]) == key


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([b"goal-\xe0"], "must be UTF-8"),
        ([b"\xff"], "must be UTF-8"),
        (["goal-1\u3000".encode()], "white space"),
        ([b'" goal-1"'], "white space"),
        ([b"goal\x001"], "control"),
        (["goal\x851".encode()], "control"),
        ([b"k" * (KEY_LIMIT + 1)], str(KEY_LIMIT)),
        ([b"a", b"b"], "must come once"),
    ],
)
def test_an_ambiguous_key_is_refused(lines: list[bytes], why: str) -> None:
    """By the header's name, for an event and for a batch."""
    for read in (parse_event_key, parse_batch_key):
        with pytest.raises(InvalidInput) as refused:
            read(lines)
        (error,) = refused.value.errors["Idempotency-Key"]
        assert why in error


def test_a_repeated_equal_key_is_accepted() -> None:
    """A proxy that repeats a header does no harm."""
    assert parse_event_key([b"a", b"a"]) == "a"


def test_without_the_header_there_is_no_key() -> None:
    """For an event and for a batch."""
    assert parse_event_key([]) is None
    assert parse_batch_key([]) is None


@given(HEADER_VALUES, HEADER_VALUES)
def test_events_under_different_keys_have_different_ids(one: str, other: str) -> None:
    """Unless they differ only in quotes, or in white space around them, which HTTP removes."""

    def bare(text: str) -> str:
        text = text.strip(" \t")
        return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text

    assume(bare(one) != bare(other))
    keys = accepted(one), accepted(other)
    assert None in keys or keys[0] != keys[1]


@given(HEADER_VALUES, st.integers(0, 499), HEADER_VALUES, st.integers(0, 499))
def test_the_key_of_an_event_in_a_batch_is_unique(
    batch: str, index: int, other: str, at: int
) -> None:
    """It equals the key of no single event, and of no other event in this or another batch."""
    try:
        key, other_key = parse_batch_key([batch.encode()]), parse_batch_key([other.encode()])
    except InvalidInput:
        return
    assume(key and other_key)
    item = item_key(str(key), index)
    assert item == item_key(str(key), index)
    assert accepted(item) is None
    assert (item == item_key(str(other_key), at)) == ((key, index) == (other_key, at))


def test_the_key_of_an_event_in_a_batch_fits_into_an_event_id() -> None:
    """Even the longest."""
    assert len(item_key("k" * KEY_LIMIT, 499)) <= EVENT_ID_LIMIT
