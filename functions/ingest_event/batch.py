"""Parsing of a posted batch, at a bounded cost even if it is refused."""

from contextlib import suppress
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from functions.shared.contract.event import Event
from functions.shared.contract.known_fields import EVENT_FIELDS, LARGEST, without_most_unknown
from functions.shared.http.problems import ERRORS_TOLD, Errors, explain, invalid

BATCH_LIMIT = 500
MAX_COMMAS = BATCH_LIMIT * LARGEST

BATCH = TypeAdapter(Annotated[list[Event], Field(min_length=1, max_length=BATCH_LIMIT)])


def parse_batch(body: bytes) -> list[Event]:
    """Parse a JSON array of events.

    Raises:
        Problem: 400, with the reasons by field, each field with its event's index; only the first
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
        raise invalid({"body": [f"Invalid JSON: {error}"]}) from None
    if not isinstance(items, list) or not 1 <= len(items) <= BATCH_LIMIT:
        raise invalid({"body": [f"must be an array of 1 to {BATCH_LIMIT} events"]})
    return items


def _parse_one_by_one(items: list[Any]) -> list[Event]:
    events: list[Event] = []
    errors: Errors = {}
    for index, item in enumerate(items):
        try:
            events.append(Event.model_validate(without_most_unknown(item)))
        except ValidationError as error:
            refused = error.errors(include_url=False, include_context=False, include_input=False)
            errors |= explain(refused, EVENT_FIELDS, at=(index,))
            if len(errors) >= ERRORS_TOLD:
                break
    if errors:
        raise invalid(errors)
    return events
