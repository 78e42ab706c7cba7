"""Patterns of JSON documents, in the language of AWS' event filters."""

from collections.abc import Callable, Mapping
from typing import Any

from local.kafka_trigger.filters.matchers import matcher

ABSENT = object()

Pattern = Callable[[Any], bool]


def pattern(rules: Mapping[str, Any]) -> Pattern:
    """Compile the pattern of a JSON object: each name has a list of rules, or a nested pattern.

    All names must match; an array matches if any of its elements does.

    Raises ValueError, which names the member, when `rules` is not a pattern.
    """
    if not rules:
        raise ValueError("an empty pattern says nothing")
    members = [(name, _member(name, nested)) for name, nested in rules.items()]
    return lambda node: any(
        all(matches(_get(each, name)) for name, matches in members) for each in _elements(node)
    )


def any_of(rules: Any, *, text_only: bool = False) -> Pattern:
    """Compile a list of rules of which a value must match one; an array any element of it.

    A value that does not exist is ABSENT, and only an `exists` rule matches it.

    Raises ValueError when `rules` is not a list of rules, or, with `text_only`, of rules for texts.
    """
    if not isinstance(rules, list) or not rules:
        raise ValueError('is no list of what it may be, as in ["goal"]')
    alternatives = [_rule(each, text_only=text_only) for each in rules]
    return lambda node: any(matches(node) for matches in alternatives)


def _rule(rule: Any, *, text_only: bool) -> Pattern:
    match rule:
        case {"exists": bool(exists), **more} if not more:
            return lambda node: (node is not ABSENT) == exists
    matches = matcher(rule, text_only=text_only)
    return lambda node: node is not ABSENT and any(map(matches, _elements(node)))


def _member(name: str, rules: Any) -> Pattern:
    try:
        return pattern(rules) if isinstance(rules, Mapping) else any_of(rules)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _elements(node: Any) -> list[Any]:
    return node if isinstance(node, list) else [node]


def _get(node: Any, name: str) -> Any:
    return node.get(name, ABSENT) if isinstance(node, Mapping) else ABSENT
