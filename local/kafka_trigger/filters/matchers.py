"""Rules for a single value, in the language of AWS' event filters."""

import operator
from collections.abc import Callable
from typing import Any

Matcher = Callable[[Any], bool]

OPERATORS = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
RULES = "a text, a number, true or false, or one of prefix, exists, anything-but and numeric"
TEXT_RULES = "a text, or one of prefix, exists and anything-but"


def matcher(rule: Any, *, text_only: bool = False) -> Matcher:
    """Compile a rule into a function that returns whether a value matches.

    Raises ValueError when `rule` is not a rule, or, with `text_only`, not a rule for texts.
    """
    match rule:
        case {"prefix": str(prefix), **more} if not more:
            return lambda value: isinstance(value, str) and value.startswith(prefix)
        case {"anything-but": excluded, **more} if not more:
            return _anything_but(excluded, text_only=text_only)
        case {"numeric": [*conditions], **more} if not more and not text_only:
            return _numeric(conditions)
        case str() | bool() | int() | float() if isinstance(rule, str) or not text_only:
            return _equals(rule)
    raise ValueError(f"{rule!r} is no rule: {TEXT_RULES if text_only else RULES}")


def _equals(expected: Any) -> Matcher:
    """In JSON, true is not 1; but 1.0 is."""
    return lambda value: value == expected and isinstance(value, bool) == isinstance(expected, bool)


def _anything_but(excluded: Any, *, text_only: bool) -> Matcher:
    alternatives = excluded if isinstance(excluded, list) else [excluded]
    if not alternatives:
        raise ValueError("anything-but nothing is anything: use exists")
    matchers = [matcher(each, text_only=text_only) for each in alternatives]
    return lambda value: not any(matches(value) for matches in matchers)


def _numeric(conditions: list[Any]) -> Matcher:
    """Pairs of an operator and a number, as in [">", 45, "<=", 90]; all must hold."""
    pairs = list(zip(conditions[::2], conditions[1::2], strict=False))
    if not pairs or len(conditions) % 2 or not all(_is_condition(*pair) for pair in pairs):
        raise ValueError(f'{conditions!r} is no range of numbers, as in [">", 45, "<=", 90]')
    return lambda value: (
        _is_number(value) and all(OPERATORS[sign](value, bound) for sign, bound in pairs)
    )


def _is_condition(sign: Any, bound: Any) -> bool:
    return isinstance(sign, str) and sign in OPERATORS and _is_number(bound)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
