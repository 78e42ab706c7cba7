"""Environment variables in files."""

import pytest

from local.environment import SubstitutionError, substitute


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain $NAME {NAME}", "plain $NAME {NAME}"),
        ("${URL}/a", "http://x/a"),
        ("${URL}${URL}", "http://xhttp://x"),
        ("${NONE:-http://y}/a", "http://y/a"),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", ""),
        ("${NONE:-}", ""),
        ("${NONE:-a:-b}", "a:-b"),
    ],
)
def test_references_become_values(text: str, expected: str) -> None:
    """A variable stands for its value, and a default for one that is unset or empty."""
    assert substitute(text, {"URL": "http://x", "EMPTY": ""}) == expected


@pytest.mark.parametrize("value", ["${URL}", "a\\1b", "\\g<0>"])
def test_a_value_is_taken_as_it_is(value: str) -> None:
    """What a value contains is not looked at again."""
    assert substitute("${NAME}", {"NAME": value, "URL": "x"}) == value


@pytest.mark.parametrize("text", ["${NONE}", "a${}", "${1A}", "${A B}", "${:-x}", "${OPEN"])
def test_what_cannot_be_replaced_is_named(text: str) -> None:
    """An unset variable and a malformed reference are errors that quote them."""
    with pytest.raises(SubstitutionError, match=r"NONE|\$\{"):
        substitute(text, {"OPEN": "x"})
