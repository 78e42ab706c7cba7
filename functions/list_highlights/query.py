"""The query parameters of GET /highlights, parsed and validated."""

import base64
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from functions.shared.contract.event import parse_rfc3339
from functions.shared.contract.event_types import fold_event_type
from functions.shared.contract.field_errors import (
    MAX_ERRORS,
    MAX_NAME_LENGTH,
    FieldErrors,
    explain_unknown,
)
from functions.shared.contract.highlight import SHOWN_STATUSES, Status
from functions.shared.contract.team_names import SIDES, fold_name
from functions.shared.errors import InvalidInput
from functions.shared.postgres.highlights import Document

PAGE_SIZE: Final = 50
PAGE_SIZE_LIMIT: Final = 100
MAX_ROWS_BY_PAGE: Final = 10_000  # further ones are read by cursor: an OFFSET is slow
PARAMETERS: Final = (
    "matchId", "status", "team", "eventType", "updatedSince", "page", "pageSize", "cursor",
)  # fmt: skip
NOT_EMPTY: Final = frozenset(PARAMETERS) - {"team", "eventType"}
INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
MAX_LENGTH = 4096  # characters of a query; the longest useful one has a quarter of that
PAGE_TOO_FAR = (
    f"lies beyond the first {MAX_ROWS_BY_PAGE:,} highlights; to read on, follow the Link header,"
    " whose cursor has no such limit"
)
MAX_DIGITS = 8  # a number of more digits is beyond every limit


@dataclass(frozen=True, eq=False)
class Query:
    """A query for a list of highlights: its filters and its page.

    Equal query strings make the same object, which serves as a key.
    """

    filters: Mapping[str, Any]
    parameters: Mapping[str, str]
    page: int
    page_size: int

    @property
    def offset(self) -> int:
        """The number of highlights before this page."""
        return (self.page - 1) * self.page_size

    @cached_property
    def cache_key(self) -> tuple[UUID, str] | None:
        """The match and the name under which the page is cached; None if it is not."""
        match_id: UUID | None = self.filters.get("match_id")
        status = self.filters.get("status", "")
        if match_id is None or len(self.filters) > 2 or self.page > 1:
            return None
        if status not in ("", Status.READY):
            return None
        return match_id, f"{status}:{self.page_size}"

    def next_link(self, last: Document) -> str:
        """Return the `Link` header to the page after `last`, relative to keep a proxy's prefix."""
        parameters = {name: text for name, text in self.parameters.items() if name != "page"}
        return f'<?{urlencode({**parameters, "cursor": cursor_of(last)})}>; rel="next"'


@lru_cache(maxsize=1024)
def parse_query(query_string: str) -> Query:
    """Parse the query of a URL.

    Raises:
        InvalidInput: with the reasons, by parameter.
    """
    if len(query_string) > MAX_LENGTH:
        raise InvalidInput({"query": [f"must have at most {MAX_LENGTH} characters"]})
    pairs = parse_qsl(query_string, keep_blank_values=True, max_num_fields=None)
    parser = _ParameterParser([(name, value.strip()) for name, value in pairs])
    values: dict[str, Any] = {
        "match_id": parser.match_id(),
        "status": parser.status(),
        **parser.team(),
        "event_type": parser.event_type(),
        "updated_since": parser.updated_since(),
    }
    filters = {name: value for name, value in values.items() if value is not None}
    if "status" not in filters:
        filters["not_retracted"] = True
    filters |= parser.cursor()
    page = parser.integer("page", 1, MAX_ROWS_BY_PAGE + 1)
    page_size = parser.integer("pageSize", PAGE_SIZE, PAGE_SIZE_LIMIT)
    if "after" in filters:
        page = 1
    if page > 1 and page * page_size > MAX_ROWS_BY_PAGE:
        parser.add_error("page", PAGE_TOO_FAR)
    parser.raise_for_errors()
    return Query(filters, parser.values, page, page_size)


def cursor_of(last: Document) -> str:
    """Return the cursor to the highlights after this one; opaque to clients."""
    return base64.urlsafe_b64encode(f"{last.occurred_at}/{last.id}".encode()).decode().rstrip("=")


class _ParameterParser:
    """Parses parameters one by one and collects their errors."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        given = dict(pairs)
        self.values = {name: value for name, value in given.items() if value}
        self._errors: FieldErrors = {
            name: [explain_unknown(name[:MAX_NAME_LENGTH], PARAMETERS)]
            for name in islice((each for each in given if each not in PARAMETERS), MAX_ERRORS)
        }
        for name in (name for name, value in given.items() if not value and name in NOT_EMPTY):
            self.add_error(name, "must not be empty; without a value it is left out")
        if len(given) < len(pairs):
            counts = Counter(name for name, _ in pairs if name in PARAMETERS)
            for name in (name for name, count in counts.items() if count > 1):
                self.add_error(name, "must be given once")

    def raise_for_errors(self) -> None:
        if self._errors:
            raise InvalidInput(self._errors)

    def text(self, name: str) -> str | None:
        text = self.values.get(name)
        if text is not None and "\0" in text:
            self.add_error(name, "must not contain the NUL character")
            return None
        return text

    def team(self) -> dict[str, str]:
        """Return the filter by a side, or by a team's name."""
        key = fold_name(self.text("team") or "")
        if not key:
            return {}
        return {"side" if key in SIDES else "team_key": key}

    def event_type(self) -> str | None:
        event_type = self.text("eventType")
        return event_type and fold_event_type(event_type)

    def match_id(self) -> UUID | None:
        text = self.values.get("matchId")
        try:
            return UUID(text) if text else None
        except ValueError:
            self.add_error("matchId", "must be a UUID")
            return None

    def status(self) -> str | None:
        given = self.values.get("status", "")
        status = given.upper()
        if status and not (given.isascii() and status in SHOWN_STATUSES):
            self.add_error("status", f"must be one of {', '.join(SHOWN_STATUSES)}")
            return None
        return status or None

    def updated_since(self) -> datetime | None:
        # A + that is not percent-encoded is decoded as a space.
        text = re.sub(r" (?=\d\d:\d\d$)", "+", self.values.get("updatedSince", ""))
        try:
            return parse_rfc3339(text) if text else None
        except ValueError as error:
            self.add_error("updatedSince", str(error))
            return None

    def cursor(self) -> dict[str, Any]:
        text = self.values.get("cursor")
        if not text:
            return {}
        try:
            padded = text + "=" * (-len(text) % 4)
            after, _, after_id = base64.urlsafe_b64decode(padded).decode().partition("/")
            return {"after": parse_rfc3339(after), "after_id": UUID(after_id)}
        except ValueError:
            self.add_error("cursor", "must come from the Link header of an earlier answer")
            return {}

    def integer(self, name: str, default: int, limit: int) -> int:
        text = self.values.get(name)
        if text is None:
            return default
        if not INTEGER.fullmatch(text):
            self.add_error(name, "must be an integer")
            return default
        if text.startswith("-"):
            return 1
        digits = text.lstrip("+0") or "0"
        return limit if len(digits) > MAX_DIGITS else min(max(int(digits), 1), limit)

    def add_error(self, name: str, why: str) -> None:
        self._errors.setdefault(name, []).append(why)
