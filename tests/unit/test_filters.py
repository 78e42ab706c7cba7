"""Filters: which records are delivered, by key, value and headers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from local.kafka_trigger.filters.record_filter import Filter, compile_filters
from local.kafka_trigger.record import Record
from tests.support.builders.records import record

GOAL = {"type": "goal", "minute": 45, "team": {"name": "FC", "side": None}, "tags": ["var", "late"]}


def matches_any(one: Record, *filters: dict[str, Any]) -> bool:
    """Whether any of these filters matches a record."""
    matches = compile_filters([Filter.model_validate(each) for each in filters])
    assert matches is not None
    return matches(one)


def matches_value(value: Any, pattern: dict[str, Any]) -> bool:
    """Whether a value, as JSON, matches a pattern."""
    return matches_any(record(0, json.dumps(value).encode()), {"value": pattern})


def error_of(written: dict[str, Any]) -> str:
    """The error of an invalid filter."""
    with pytest.raises(ValidationError) as refused:
        Filter.model_validate(written)
    return str(refused.value)


def test_without_a_filter_all_records_match() -> None:
    """There is no predicate to call."""
    assert compile_filters([]) is None


@pytest.mark.parametrize(
    "pattern",
    [
        {"type": ["goal"]},
        {"type": ["card", "goal"]},
        {"type": ["goal"], "minute": [45]},
        {"minute": [45.0]},
        {"team": {"name": ["FC"]}},
        {"type": [{"prefix": "go"}]},
        {"type": [{"anything-but": "card"}]},
        {"type": [{"anything-but": ["card", {"prefix": "own"}]}]},
        {"team": {"side": [{"anything-but": "home"}]}},
        {"minute": [{"numeric": [">", 44, "<=", 45]}]},
        {"minute": [{"numeric": ["=", 45]}]},
        {"type": [{"exists": True}]},
        {"team": {"side": [{"exists": True}]}},
        {"player": [{"exists": False}]},
        {"player": {"name": [{"exists": False}]}},
        {"player": ["Messi", {"exists": False}]},
        {"tags": ["late"]},
        {"tags": [{"anything-but": "late"}]},
    ],
)
def test_a_value_that_fits_a_pattern_matches(pattern: dict[str, Any]) -> None:
    """Exact values, prefixes, ranges, absence; in arrays any element."""
    assert matches_value(GOAL, pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        {"type": ["Goal"]},
        {"type": ["goal"], "minute": [46]},
        {"minute": ["45"]},
        {"minute": [{"prefix": "4"}]},
        {"minute": [True]},
        {"player": ["goal"]},
        {"player": [{"anything-but": "Messi"}]},
        {"type": [{"anything-but": ["card", "goal"]}]},
        {"minute": [{"numeric": [">", 45]}]},
        {"minute": [{"numeric": [">", 40, "<", 45]}]},
        {"type": [{"numeric": [">", 0]}]},
        {"type": [{"exists": False}]},
        {"player": [{"exists": True}]},
        {"team": ["FC"]},
        {"type": {"name": ["goal"]}},
        {"tags": ["early"]},
    ],
)
def test_a_value_that_does_not_fit_a_pattern_does_not_match(pattern: dict[str, Any]) -> None:
    """All names must match; a missing member matches only a rule for its absence."""
    assert not matches_value(GOAL, pattern)


def test_true_is_no_number() -> None:
    """Neither as 1 nor in a range."""
    assert matches_value({"a": True}, {"a": [True]})
    assert not matches_value({"a": True}, {"a": [1, {"numeric": [">=", 0]}]})


def test_any_element_of_an_array_of_objects_may_match() -> None:
    """One of them must match all names."""
    goals = {"goals": [{"by": "A", "minute": 1}, {"by": "B", "minute": 2}]}
    assert matches_value(goals, {"goals": {"by": ["B"], "minute": [2]}})
    assert not matches_value(goals, {"goals": {"by": ["A"], "minute": [2]}})


@pytest.mark.parametrize("value", [None, b"", b"text", b"{", b"\xff"])
def test_a_value_that_is_not_json_never_matches_a_pattern(value: bytes | None) -> None:
    """Not even one that requires an absence."""
    assert not matches_any(record(0, value), {"value": {"a": [{"exists": False}]}})
    assert matches_any(record(0, value), {"key": ["key"]})


@pytest.mark.parametrize(
    ("key", "rules", "matches"),
    [
        (b"match-1", ["match-1"], True),
        (b"match-1", [{"prefix": "match-"}], True),
        (b"other", [{"prefix": "match-"}], False),
        (b"\xff", [{"anything-but": "x"}], True),
        (b"\xff", ["x"], False),
        (None, [{"exists": False}], True),
        (None, [{"anything-but": "x"}], False),
        (b"", [{"exists": True}], True),
    ],
)
def test_a_key_is_matched_as_text(key: bytes | None, rules: list[Any], matches: bool) -> None:
    """A key that is not UTF-8 exists, but equals no text."""
    assert matches_any(record(key=key), {"key": rules}) == matches


@pytest.mark.parametrize(
    ("headers", "matches"),
    [
        ([("kind", b"goal")], True),
        ([("kind", b"card"), ("kind", b"goal")], True),
        ([("kind", b"card")], False),
        ([("Kind", b"goal")], False),
        ([("kind", None)], False),
        ([], False),
    ],
)
def test_any_header_of_a_name_may_match(
    headers: list[tuple[str, bytes | None]], matches: bool
) -> None:
    """As text, by the exact name."""
    assert matches_any(record(headers=headers), {"headers": {"kind": ["goal"]}}) == matches


def test_a_rule_may_require_that_a_header_is_absent() -> None:
    """A header with a null value is present."""
    absent = {"headers": {"test": [{"exists": False}]}}
    assert matches_any(record(), absent)
    assert not matches_any(record(headers=[("test", None)]), absent)


def test_all_of_a_filter_must_match_and_any_of_several_filters() -> None:
    """Key, value and headers together; alternatives one by one."""
    one = record(0, b'{"a": 1}', key=b"k", headers=[("h", b"x")])
    matching = {"key": ["k"], "value": {"a": [1]}, "headers": {"h": ["x"]}}
    wrong: list[dict[str, Any]] = [
        matching | {"key": ["l"]},
        matching | {"value": {"a": [2]}},
        matching | {"headers": {"h": ["y"]}},
    ]
    assert matches_any(one, matching)
    assert not any(matches_any(one, each) for each in wrong)
    assert not matches_any(one, *wrong)
    assert matches_any(one, *wrong, matching)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({}, "a filter has a key, a value or headers"),
        ({"headers": {}}, "a filter has a key, a value or headers"),
        ({"value": {}}, "an empty pattern says nothing"),
        ({"value": {"a": {"b": []}}}, "a: b: is no list of what it may be"),
        ({"value": {"a": "goal"}}, "a: is no list of what it may be"),
        ({"value": {"a": [{"suffix": "x"}]}}, "a: {'suffix': 'x'} is no rule: a text, a number"),
        ({"value": {"a": [{"prefix": 1}]}}, "is no rule"),
        ({"value": {"a": [{"prefix": "x", "exists": True}]}}, "is no rule"),
        ({"value": {"a": [{"exists": "yes"}]}}, "is no rule"),
        ({"value": {"a": [{"anything-but": []}]}}, "anything-but nothing is anything"),
        ({"value": {"a": [{"numeric": [">"]}]}}, "is no range of numbers"),
        ({"value": {"a": [{"numeric": ["~", 1]}]}}, "is no range of numbers"),
        ({"value": {"a": [{"numeric": [">", "1"]}]}}, "is no range of numbers"),
        ({"value": {"a": [{"numeric": []}]}}, "is no range of numbers"),
        ({"key": []}, "is no list of what it may be"),
        ({"key": [1]}, "1 is no rule: a text, or one of prefix"),
        ({"key": [{"numeric": [">", 1]}]}, "is no rule: a text, or one of prefix"),
        ({"headers": {"h": "x"}}, "h: is no list of what it may be"),
    ],
)
def test_an_invalid_pattern_is_reported_at_the_start(rules: dict[str, Any], message: str) -> None:
    """With the name of the member."""
    assert message in error_of(rules)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["a", "b", "ab"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
)
RULES = st.sampled_from(
    ["a", 1, True, {"prefix": "a"}, {"exists": True}, {"exists": False}, {"anything-but": "a"},
     {"numeric": [">", 0]}]
)  # fmt: skip


@given(JSON, st.dictionaries(st.sampled_from("ab"), st.lists(RULES, min_size=1), min_size=1))
def test_any_value_matches_or_does_not(value: Any, pattern: dict[str, Any]) -> None:
    """Whatever producers write; a rule and its opposite never both match."""
    matches_value(value, pattern)
    assert not matches_value(value, pattern | {"c": [{"exists": True}]})


def test_a_deeply_nested_value_is_no_error() -> None:
    """No record can end the trigger."""
    deep = b'{"a":' * 500 + b"[" * 500 + b"]" * 500 + b"}" * 500
    assert not matches_any(record(0, deep), {"value": {"a": {"a": ["x"]}}})
    assert not matches_any(record(0, b"[" * 1000 + b"]" * 1000), {"value": {"a": ["x"]}})
