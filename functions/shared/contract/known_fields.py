"""The fields that an event may have, and objects that have many others."""

from itertools import islice
from typing import Any

from functions.shared.contract.event import Event

EVENT_FIELDS = tuple(field.alias or name for name, field in Event.model_fields.items())
LARGEST = 2 * len(EVENT_FIELDS)


def without_most_unknown(fields: Any) -> Any:
    """Parsed JSON, without most of an event's unknown fields if there are very many.

    It is refused as before, but not a hundred thousand times: each unknown field is an error.
    """
    if not isinstance(fields, dict) or len(fields) <= LARGEST:
        return fields
    known = {name: fields[name] for name in EVENT_FIELDS if name in fields}
    return known | dict(islice(fields.items(), LARGEST))
