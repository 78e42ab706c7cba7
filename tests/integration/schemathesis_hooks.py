"""For Schemathesis: what a request may say, where no schema can say it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import schemathesis
from hypothesis import strategies as st

from functions.list_highlights.query import cursor_of
from functions.shared.highlights import Document
from functions.shared.metadata import LARGEST, SMALLEST

KEY = "Idempotency-Key"

# What lies ahead of the clock is refused.
PAST = st.datetimes(datetime(1, 1, 2), datetime(2025, 1, 1), timezones=st.just(UTC))


def cursor(occurred_at: datetime, highlight_id: UUID) -> str:
    """Return a cursor as an answer's Link has it."""
    return cursor_of(Document(highlight_id, occurred_at.isoformat(), "{}"))


schemathesis.openapi.format("date-time", PAST.map(datetime.isoformat))
schemathesis.openapi.format("cursor", st.builds(cursor, PAST, st.uuids()))


@schemathesis.hook
def map_headers(_: Any, headers: Any) -> Any:
    """Send a key as UTF-8; a header is written in Latin-1."""
    if headers and isinstance(key := headers.get(KEY), str):
        headers[KEY] = key.encode(errors="replace").decode("latin-1")
    return headers


@schemathesis.hook
def filter_body(_: Any, body: Any) -> bool:
    """Leave out metadata with integers that are larger than what is kept."""
    events = body if isinstance(body, list) else [body]
    told = [event.get("metadata") for event in events if isinstance(event, dict)]
    return all(SMALLEST <= number <= LARGEST for number in integers(told))


def integers(value: Any) -> Iterator[float]:
    """Yield the numbers that JSON writes as integers, wherever they are in a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from integers(member)
    elif (isinstance(value, float) and value.is_integer()) or isinstance(value, int):
        yield value
