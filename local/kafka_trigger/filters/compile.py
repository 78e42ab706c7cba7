"""Which records a trigger's function wants: the tables that say so, and what they match."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field, model_validator

from local.kafka_trigger.config.table import Table
from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.filters.patterns import ABSENT, Pattern, any_of, pattern

Accepts = Callable[[Record], bool]


def _key(written: list[Any]) -> list[Any]:
    any_of(written, text_only=True)
    return written


def _value(written: dict[str, Any]) -> dict[str, Any]:
    pattern(written)
    return written


def _headers(written: dict[str, Any]) -> dict[str, Any]:
    _patterns_of_headers(written)
    return written


class Filter(Table):
    """Which records a function wants: those that match all that is written here."""

    key: Annotated[list[Any], AfterValidator(_key)] | None = Field(
        None, description="what the key may be, as a text"
    )
    value: Annotated[dict[str, Any], AfterValidator(_value)] | None = Field(
        None, description="what the value must have, as JSON; what is no JSON matches nothing"
    )
    headers: Annotated[dict[str, Any], AfterValidator(_headers)] | None = Field(
        None, description="what headers may be, as texts, by their names"
    )

    @model_validator(mode="after")
    def _says_something(self) -> "Filter":
        if self.key is None and self.value is None and not self.headers:
            raise ValueError("a filter has a key, a value or headers")
        return self


def compile_filters(filters: Sequence[Filter]) -> Accepts | None:
    """What tells whether any of the filters matches a record; None wants all."""
    if not filters:
        return None
    alternatives = [_alternative(each) for each in filters]
    return lambda record: any(matches(record) for matches in alternatives)


def _alternative(written: Filter) -> Accepts:
    """All that is written must match; a value is parsed only if the rest does."""
    parts: list[Accepts] = []
    if written.key is not None:
        parts.append(_of_key(any_of(written.key, text_only=True)))
    for name, matches in _patterns_of_headers(written.headers or {}).items():
        parts.append(_of_header(name, matches))
    if written.value is not None:
        parts.append(_of_value(pattern(written.value)))
    return lambda record: all(matches(record) for matches in parts)


def _patterns_of_headers(written: Mapping[str, Any]) -> dict[str, Pattern]:
    patterns = {}
    for name, wanted in written.items():
        try:
            patterns[name] = any_of(wanted, text_only=True)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return patterns


def _of_key(matches: Pattern) -> Accepts:
    def key_matches(record: Record) -> bool:
        key = record.key()
        return matches(ABSENT if key is None else _text(key))

    return key_matches


def _of_header(name: str, matches: Pattern) -> Accepts:
    """A name may come more than once: then any of its values may match."""

    def header_matches(record: Record) -> bool:
        found = [value for key, value in record.headers() or () if key == name]
        texts = [None if value is None else _text(value) for value in found]
        return matches(texts or ABSENT)

    return header_matches


def _of_value(matches: Pattern) -> Accepts:
    """A value that is no JSON matches nothing, not even a pattern that asks for an absence."""

    def value_matches(record: Record) -> bool:
        value = record.value()
        try:
            return value is not None and matches(orjson.loads(value))
        except orjson.JSONDecodeError:
            return False

    return value_matches


def _text(value: bytes) -> str:
    """What is no text is there all the same, and equals none."""
    return value.decode(errors="surrogateescape")
