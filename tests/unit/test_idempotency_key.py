"""Idempotency keys: two that differ are never taken for one."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from functions.ingest_event.idempotency_key import (
    KEY_LIMIT,
    key_of_batch,
    key_of_event,
    key_of_item,
)
from functions.shared.errors import InvalidInput

EVENT_ID_LIMIT = 128
SENT = st.text(max_size=12) | st.text('a"/#0123 \t\xa0\u3000é', max_size=8)


def accepted(text: str) -> str | None:
    """Return the key of an event, or None where it is refused or empty."""
    try:
        return key_of_event([text.encode()])
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
def test_a_key_is_read_as_utf_8_and_as_it_is(line: bytes, key: str | None) -> None:
    """Without the quotes of its draft standard; an empty one is none."""
    assert key_of_event([line]) == key
    assert key_of_batch([line]) == key


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
def test_a_key_that_might_be_taken_for_another_is_refused(lines: list[bytes], why: str) -> None:
    """By the header's name, for an event and for a batch."""
    for read in (key_of_event, key_of_batch):
        with pytest.raises(InvalidInput) as refused:
            read(lines)
        (told,) = refused.value.errors["Idempotency-Key"]
        assert why in told


def test_a_key_that_comes_twice_as_it_is_is_that_key() -> None:
    """A proxy that doubles a header does no harm."""
    assert key_of_event([b"a", b"a"]) == "a"


def test_no_header_is_no_key() -> None:
    """Of an event as of a batch."""
    assert key_of_event([]) is None
    assert key_of_batch([]) is None


@given(SENT, SENT)
def test_two_events_under_two_keys_are_two(one: str, other: str) -> None:
    """Unless they differ by the quotes, or the white space around them, that HTTP takes away."""

    def bare(text: str) -> str:
        text = text.strip(" \t")
        return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text

    assume(bare(one) != bare(other))
    keys = accepted(one), accepted(other)
    assert None in keys or keys[0] != keys[1]


@given(SENT, st.integers(0, 499), SENT, st.integers(0, 499))
def test_an_item_in_a_batch_is_nobody_else(batch: str, index: int, other: str, at: int) -> None:
    """No event under a key of its own, and no other item of this or another batch."""
    try:
        key, other_key = key_of_batch([batch.encode()]), key_of_batch([other.encode()])
    except InvalidInput:
        return
    assume(key and other_key)
    item = key_of_item(str(key), index)
    assert item == key_of_item(str(key), index)
    assert accepted(item) is None
    assert (item == key_of_item(str(other_key), at)) == ((key, index) == (other_key, at))


def test_the_key_of_an_item_fits_into_an_event_id() -> None:
    """Even the longest."""
    assert len(key_of_item("k" * KEY_LIMIT, 499)) <= EVENT_ID_LIMIT
