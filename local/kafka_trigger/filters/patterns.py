"""Patterns of JSON, in the language of AWS' event filters: what a value must be like."""

from collections.abc import Callable, Mapping
from typing import Any

from local.kafka_trigger.filters.matchers import matcher

ABSENT = object()

Pattern = Callable[[Any], bool]


def pattern(written: Mapping[str, Any]) -> Pattern:
    """What a JSON object must have: under each name a list of what it may be, or a pattern again.

    All names must match; of an array of objects any element.

    Raises ValueError when what is written is no pattern, with the place.
    """
    if not written:
        raise ValueError("an empty pattern says nothing")
    members = [(name, _member(name, wanted)) for name, wanted in written.items()]
    return lambda node: any(
        all(matches(_under(each, name)) for name, matches in members) for each in _elements(node)
    )


def any_of(written: Any, *, text_only: bool = False) -> Pattern:
    """What a single value must be like: any of a list's rules; of an array any element.

    A value that is not there is ABSENT, and only a rule that asks for that matches it.

    Raises ValueError when what is written is no list of rules, or, with `text_only`, of rules for
    texts.
    """
    if not isinstance(written, list) or not written:
        raise ValueError('is no list of what it may be, as in ["goal"]')
    rules = [_rule(each, text_only=text_only) for each in written]
    return lambda node: any(matches(node) for matches in rules)


def _rule(written: Any, *, text_only: bool) -> Pattern:
    match written:
        case {"exists": bool(wanted), **more} if not more:
            return lambda node: (node is not ABSENT) == wanted
    matches = matcher(written, text_only=text_only)
    return lambda node: node is not ABSENT and any(map(matches, _elements(node)))


def _member(name: str, wanted: Any) -> Pattern:
    try:
        return pattern(wanted) if isinstance(wanted, Mapping) else any_of(wanted)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _elements(node: Any) -> list[Any]:
    return node if isinstance(node, list) else [node]


def _under(node: Any, name: str) -> Any:
    return node.get(name, ABSENT) if isinstance(node, Mapping) else ABSENT
