"""Hooks for Schemathesis: limits of requests that a schema cannot express."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import schemathesis
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from functions.list_highlights.change_query import NOT_OF_THE_FEED
from functions.list_highlights.query import (
    MAX_ROWS_BY_PAGE,
    PAGE_SIZE,
    PAGE_SIZE_LIMIT,
    cursor_of,
)
from functions.shared.contract.metadata import Metadata
from functions.shared.postgres.highlights import Document

KEY = "Idempotency-Key"
PAGE = {"page": 1, "pageSize": PAGE_SIZE}
INTEGER = re.compile(r"[+-]?[0-9]{1,4000}", re.ASCII)
METADATA: TypeAdapter[Any] = TypeAdapter(Metadata)

# Times ahead of the clock are refused.
PAST = st.datetimes(datetime(1, 1, 2), datetime(2025, 1, 1), timezones=st.just(UTC))


def cursor(occurred_at: datetime, highlight_id: UUID) -> str:
    """Return a cursor as in an answer's Link header."""
    return cursor_of(Document(highlight_id, occurred_at.isoformat(), "{}"))


schemathesis.openapi.format("date-time", PAST.map(datetime.isoformat))
schemathesis.openapi.format("cursor", st.builds(cursor, PAST, st.uuids()))
# The beginning, and now; any other is of one database, and another's is answered with 410.
schemathesis.openapi.format("change-cursor", st.sampled_from(["0", ""]))

# The stack's is English; which others there are is no part of the document.
schemathesis.openapi.format("language", st.sampled_from(["en", "EN", "en-GB"]))


@schemathesis.hook
def map_headers(_: Any, headers: Any) -> Any:
    """Encode keys as UTF-8, though headers are written in Latin-1."""
    if headers and isinstance(key := headers.get(KEY), str):
        headers[KEY] = key.encode(errors="replace").decode("latin-1")
    return headers


@schemathesis.hook
def before_call(_: Any, case: Any, **__: Any) -> None:
    """Leave out of a valid query for changes what does not go together with that."""
    if case.meta.generation.mode.is_positive and "changedSince" in (case.query or {}):
        for name in NOT_OF_THE_FEED:
            case.query.pop(name, None)


@schemathesis.hook
def filter_query(_: Any, query: Any) -> bool:
    """Drop pages by number beyond the limit, which depends on the page size."""
    numbers = [str((query or {}).get(name, default)) for name, default in PAGE.items()]
    if not all(map(INTEGER.fullmatch, numbers)):
        return True
    page, size = map(int, numbers)
    return page * min(max(size, 1), PAGE_SIZE_LIMIT) <= MAX_ROWS_BY_PAGE


@schemathesis.hook
def filter_body(_: Any, body: Any) -> bool:
    """Drop metadata that could not be returned unchanged."""
    events = body if isinstance(body, list) else [body]
    given = (event.get("metadata") for event in events if isinstance(event, dict))
    return all(map(can_be_kept, (metadata for metadata in given if isinstance(metadata, dict))))


def can_be_kept(metadata: dict[str, Any]) -> bool:
    """Return whether an event may have this metadata."""
    try:
        METADATA.validate_json(json.dumps(metadata))
    except ValidationError:
        return False
    return True
