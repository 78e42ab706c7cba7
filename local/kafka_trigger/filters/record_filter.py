"""A trigger's filters: their tables in the triggers' file, and the predicate that they make."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, Field, model_validator

from local.kafka_trigger.filters.patterns import ABSENT, Pattern, any_of, pattern
from local.kafka_trigger.record import Record

RecordPredicate = Callable[[Record], bool]


def _checked_key(rules: list[Any]) -> list[Any]:
    any_of(rules, text_only=True)
    return rules


def _checked_value(rules: dict[str, Any]) -> dict[str, Any]:
    pattern(rules)
    return rules


def _checked_headers(rules: dict[str, Any]) -> dict[str, Any]:
    _header_patterns(rules)
    return rules


class Filter(BaseModel, extra="forbid", frozen=True):
    """A filter matches a record if its key, its value and its headers all match."""

    key: Annotated[list[Any], AfterValidator(_checked_key)] | None = Field(
        None, description="what the key may be, as a text"
    )
    value: Annotated[dict[str, Any], AfterValidator(_checked_value)] | None = Field(
        None, description="what the value must have, as JSON; what is no JSON matches nothing"
    )
    headers: Annotated[dict[str, Any], AfterValidator(_checked_headers)] | None = Field(
        None, description="what headers may be, as texts, by their names"
    )

    @model_validator(mode="after")
    def _is_not_empty(self) -> "Filter":
        if self.key is None and self.value is None and not self.headers:
            raise ValueError("a filter has a key, a value or headers")
        return self


def compile_filters(filters: Sequence[Filter]) -> RecordPredicate | None:
    """Return a predicate that is true for records that any filter matches; None matches all."""
    if not filters:
        return None
    alternatives = [_compile_filter(each) for each in filters]
    return lambda record: any(matches(record) for matches in alternatives)


def _compile_filter(rules: Filter) -> RecordPredicate:
    """Return a predicate that parses a value only if key and headers match."""
    predicates: list[RecordPredicate] = []
    if rules.key is not None:
        predicates.append(_key_predicate(any_of(rules.key, text_only=True)))
    for name, matches in _header_patterns(rules.headers or {}).items():
        predicates.append(_header_predicate(name, matches))
    if rules.value is not None:
        predicates.append(_value_predicate(pattern(rules.value)))
    return lambda record: all(matches(record) for matches in predicates)


def _header_patterns(rules: Mapping[str, Any]) -> dict[str, Pattern]:
    patterns = {}
    for name, alternatives in rules.items():
        try:
            patterns[name] = any_of(alternatives, text_only=True)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return patterns


def _key_predicate(matches: Pattern) -> RecordPredicate:
    def key_matches(record: Record) -> bool:
        key = record.key()
        return matches(ABSENT if key is None else _text(key))

    return key_matches


def _header_predicate(name: str, matches: Pattern) -> RecordPredicate:
    """A name may occur more than once: then it is enough that one of its values matches."""

    def header_matches(record: Record) -> bool:
        values = [value for key, value in record.headers() or () if key == name]
        texts = [None if value is None else _text(value) for value in values]
        return matches(texts or ABSENT)

    return header_matches


def _value_predicate(matches: Pattern) -> RecordPredicate:
    """A value that is not JSON matches nothing, not even a rule that a member does not exist."""

    def value_matches(record: Record) -> bool:
        value = record.value()
        try:
            return value is not None and matches(orjson.loads(value))
        except orjson.JSONDecodeError:
            return False

    return value_matches


def _text(value: bytes) -> str:
    """Bytes that are not UTF-8 count as present, but equal no text."""
    return value.decode(errors="surrogateescape")
