"""Evaluation of IAM policy statements, for the operators that ours use."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

Statement = Mapping[str, Any]

NOBODY: Mapping[str, str] = {}


def allows(
    statements: Iterable[Statement],
    action: str,
    resource: str,
    context: Mapping[str, str] = NOBODY,
) -> bool:
    """Whether these statements together allow an action: one does, and none denies it."""
    effects = {each["Effect"] for each in statements if _says(each, action, resource, context)}
    return effects == {"Allow"}


def _says(of: Statement, action: str, resource: str, context: Mapping[str, str]) -> bool:
    return (
        any(fnmatchcase(action.lower(), each.lower()) for each in _list(of["Action"]))
        and any(fnmatchcase(resource, each) for each in _list(of["Resource"]))
        and all(_holds(name, each, context) for name, each in of.get("Condition", {}).items())
    )


def _holds(operator: str, wanted: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """Whether a condition holds; none of ours holds for a missing key."""
    assert operator in {"ArnLike", "StringEquals"}
    return all(
        any(fnmatchcase(context.get(name, ""), pattern) for pattern in _list(patterns))
        for name, patterns in wanted.items()
    )


def _list(one_or_more: Any) -> list[str]:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]
