"""A batch as it was posted: read into events, or refused for a bounded price, whatever it holds."""

from contextlib import suppress
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from functions.shared.contract.event import Event
from functions.shared.contract.field_errors import MAX_ERRORS, FieldErrors, explain
from functions.shared.contract.known_fields import EVENT_FIELDS, MAX_FIELDS, without_most_unknown
from functions.shared.errors import InvalidInput

BATCH_LIMIT = 500
COMMAS = BATCH_LIMIT * MAX_FIELDS

BATCH = TypeAdapter(Annotated[list[Event], Field(min_length=1, max_length=BATCH_LIMIT)])


def events_of(body: bytes) -> list[Event]:
    """The events of a JSON array.

    Raises:
        InvalidInput: with the reasons, by field, each with its item's index; if there are many,
            for the first fields alone.
    """
    # With so few commas there are not too many fields and values to be refused all at once.
    if body.count(b",") <= COMMAS:
        with suppress(ValidationError):
            return BATCH.validate_json(body)
    return _one_by_one(_items_of(body))


def _items_of(body: bytes) -> list[Any]:
    try:
        items = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidInput({"body": [f"Invalid JSON: {error}"]}) from None
    if not isinstance(items, list) or not 1 <= len(items) <= BATCH_LIMIT:
        raise InvalidInput({"body": [f"must be an array of 1 to {BATCH_LIMIT} events"]})
    return items


def _one_by_one(items: list[Any]) -> list[Event]:
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
