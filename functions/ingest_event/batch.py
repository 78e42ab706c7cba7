"""Parsing of a posted batch, at a bounded cost even if it is refused."""

from contextlib import suppress
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from functions.shared.contract.event import Event
from functions.shared.contract.field_errors import MAX_ERRORS, FieldErrors, explain
from functions.shared.contract.known_fields import EVENT_FIELDS, MAX_FIELDS, without_most_unknown
from functions.shared.errors import InvalidInput

BATCH_LIMIT = 500
MAX_COMMAS = BATCH_LIMIT * MAX_FIELDS

BATCH = TypeAdapter(Annotated[list[Event], Field(min_length=1, max_length=BATCH_LIMIT)])


def parse_batch(body: bytes) -> list[Event]:
    """Parse a JSON array of events.

    Raises:
        InvalidInput: with the reasons by field, each field with its event's index; only the first
            ones if there are many.
    """
    # With so few commas there are few enough fields and values to validate all at once.
    if body.count(b",") <= MAX_COMMAS:
        with suppress(ValidationError):
            return BATCH.validate_json(body)
    return _parse_one_by_one(_parse_items(body))


def _parse_items(body: bytes) -> list[Any]:
    try:
        items = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidInput({"body": [f"Invalid JSON: {error}"]}) from None
    if not isinstance(items, list) or not 1 <= len(items) <= BATCH_LIMIT:
        raise InvalidInput({"body": [f"must be an array of 1 to {BATCH_LIMIT} events"]})
    return items


def _parse_one_by_one(items: list[Any]) -> list[Event]:
    events: list[Event] = []
    errors: FieldErrors = {}
    for index, item in enumerate(items):
        try:
            events.append(Event.model_validate(without_most_unknown(item)))
        except ValidationError as error:
            refused = error.errors(include_url=False, include_context=False, include_input=False)
            errors |= explain(refused, EVENT_FIELDS, prefix=(index,))
            if len(errors) >= MAX_ERRORS:
                break
    if errors:
        raise InvalidInput(errors)
    return events
