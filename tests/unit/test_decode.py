"""The reasons why a record's value cannot be decoded."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.inbound.decode import decode_base64, decode_json

EVENT = '{"eventType": "goal"}'
MARKED = "the value begins with a byte order mark ({}): JSON is UTF-8 without"
REASONS = {
    b"": "the value is empty",
    b" \r\n": "the value is empty",
    b"\xef\xbb\xbf" + EVENT.encode(): MARKED.format("UTF-8"),
    b"\xef\xbb\xbf": MARKED.format("UTF-8"),
    EVENT.encode("utf-16"): MARKED.format("UTF-16"),
    b"\xfe\xff" + EVENT.encode("utf-16-be"): MARKED.format("UTF-16"),
    EVENT.encode("utf-32"): MARKED.format("UTF-32"),
    '{"player": "Mbappé"}'.encode("latin-1"): (
        "the value is not UTF-8: byte 0xe9 at offset 17"
    ),
    b"poison": (
        "the value is no JSON: unexpected character, expected a JSON value at line 1 column 1"
    ),
    b'{\n"a": x}': (
        "the value is no JSON: unexpected character, expected a JSON value at line 2 column 6"
    ),
    b'{"a": 1': "the value is no JSON: unexpected end of data at line 1 column 8",
    b"{}{}": "the value is no JSON: unexpected content after document at line 1 column 3",
}  # fmt: skip


@pytest.mark.parametrize("value", REASONS)
def test_the_reason_describes_the_invalid_bytes(value: bytes) -> None:
    """Whether they are sent as they are or in base64."""
    assert decode_json(value) == (None, REASONS[value])
    assert decode_base64(base64.b64encode(value).decode()) == (None, REASONS[value])


def test_a_tombstone_and_invalid_base64_have_reasons_of_their_own() -> None:
    """A value is missing, or it is not base64."""
    assert decode_base64(None) == (None, "the record has no value")
    values: list[object] = [1, "!", "é", [], {}]
    for value in values:
        assert decode_base64(value) == (None, "the value is no base64")


@given(st.binary() | st.text().map(str.encode))
def test_every_value_has_data_or_a_reason(value: bytes) -> None:
    """Of one line, for any bytes."""
    data, reason = decode_json(value)
    assert reason is None or (data is None and len(reason.splitlines()) == 1)
