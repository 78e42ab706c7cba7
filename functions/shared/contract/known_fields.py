"""The fields that an event may have, and a limit on those that it may not."""

from itertools import islice
from typing import Any

from functions.shared.contract.event import Event

EVENT_FIELDS = tuple(field.alias or name for name, field in Event.model_fields.items())
MAX_FIELDS = 2 * len(EVENT_FIELDS)


def without_most_unknown(fields: Any) -> Any:
    """Return parsed JSON without most of an event's unknown fields, if there are very many.

    It stays invalid, but for a few errors instead of a hundred thousand: each such field is one.
    """
    if not isinstance(fields, dict) or len(fields) <= MAX_FIELDS:
        return fields
    known = {name: fields[name] for name in EVENT_FIELDS if name in fields}
    return known | dict(islice(fields.items(), MAX_FIELDS))
