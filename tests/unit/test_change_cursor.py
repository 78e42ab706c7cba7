"""Places in the change feed."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.contract.change_cursor import BEGINNING, MAX_XID, ChangeCursor

PLACES = st.builds(
    ChangeCursor, st.integers(0, MAX_XID), st.uuids(), st.from_regex(r"[0-9a-f]{8}", fullmatch=True)
)


@given(PLACES)
def test_a_cursor_is_parsed_as_it_was_written(cursor: ChangeCursor) -> None:
    """With its epoch, in characters that a URL takes as they are."""
    text = str(cursor)
    parsed = ChangeCursor.parse(text)
    assert (parsed, parsed.epoch) == (cursor, cursor.epoch)
    assert set(text) <= set("0123456789abcdefghijklmnopqrstuvwxyz-")
    assert len(text) <= 80


@given(PLACES, PLACES)
def test_cursors_are_in_the_order_of_transactions_and_then_of_ids(
    one: ChangeCursor, other: ChangeCursor
) -> None:
    """Whatever their epoch."""
    assert (one < other) == ((one.xid, one.id) < (other.xid, other.id))


def test_the_beginning_is_before_every_highlight() -> None:
    """It is written 0."""
    assert ChangeCursor.parse("0") == BEGINNING < ChangeCursor(0, UUID(int=1))
    assert str(BEGINNING) == "0"


def test_the_place_before_a_transaction_has_no_id() -> None:
    """It is before every highlight that the transaction changes."""
    assert str(ChangeCursor(7, epoch="0123abcd")) == "0123abcd-7"


@pytest.mark.parametrize(
    "text",
    ["", "1", "-1", "0123abcd", "0123abcd-", "0123abcd-x", "0123ABCD-7", "0123abcd-7-8",
     f"0123abcd-{MAX_XID + 1}", "0123abcd-\u0667", "0123abcd-7 ", "yesterday"],
)  # fmt: skip
def test_any_other_text_is_refused(text: str) -> None:
    """With where cursors come from."""
    with pytest.raises(ValueError, match="must come from the Link header"):
        ChangeCursor.parse(text)
