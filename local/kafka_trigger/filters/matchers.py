"""What a single value may be: exactly this, or by a rule of AWS' event filters."""

import operator
from collections.abc import Callable
from typing import Any

Matches = Callable[[Any], bool]

OPERATORS = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
RULES = "a text, a number, true or false, or one of prefix, exists, anything-but and numeric"
RULES_OF_TEXTS = "a text, or one of prefix, exists and anything-but"


def matcher(written: Any, *, text_only: bool = False) -> Matches:
    """What tells whether a value matches.

    Raises ValueError when what is written is no rule, or, with `text_only`, none for texts.
    """
    match written:
        case {"prefix": str(prefix), **more} if not more:
            return lambda value: isinstance(value, str) and value.startswith(prefix)
        case {"anything-but": refused, **more} if not more:
            return _anything_but(refused, text_only=text_only)
        case {"numeric": [*conditions], **more} if not more and not text_only:
            return _numeric(conditions)
        case str() | bool() | int() | float() if isinstance(written, str) or not text_only:
            return _exactly(written)
    raise ValueError(f"{written!r} is no rule: {RULES_OF_TEXTS if text_only else RULES}")


def _exactly(wanted: Any) -> Matches:
    """True is no 1 in JSON, and 1.0 is."""
    return lambda value: value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _anything_but(refused: Any, *, text_only: bool) -> Matches:
    alternatives = refused if isinstance(refused, list) else [refused]
    if not alternatives:
        raise ValueError("anything-but nothing is anything: use exists")
    matchers = [matcher(each, text_only=text_only) for each in alternatives]
    return lambda value: not any(matches(value) for matches in matchers)


def _numeric(conditions: list[Any]) -> Matches:
    """Pairs of an operator and a number, as in [">", 45, "<=", 90]: all must hold."""
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
