"""What a reader asks for: the parameters of GET /highlights, checked."""

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
ROWS_BY_NUMBER: Final = 10_000  # what lies beyond is read by cursor: to count up to it takes long
PARAMETERS: Final = (
    "matchId", "status", "team", "eventType", "updatedSince", "page", "pageSize", "cursor",
)  # fmt: skip
NEVER_EMPTY: Final = frozenset(PARAMETERS) - {"team", "eventType"}
INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
LONGEST = 4096  # characters of a query; the longest that makes sense has a quarter of that
BEYOND = (
    f"lies beyond the first {ROWS_BY_NUMBER:,} highlights; to read on, follow the Link header,"
    " whose cursor has no such limit"
)
MORE_THAN_ANY = 9  # digits; no limit has as many


@dataclass(frozen=True, eq=False)
class Query:
    """A list of highlights: its filters, its page, and what leads to the next one.

    The same query string makes the same object, so that it serves as a key.
    """

    filters: Mapping[str, Any]
    parameters: Mapping[str, str]
    page: int
    page_size: int

    @property
    def offset(self) -> int:
        """How many highlights come before this page."""
        return (self.page - 1) * self.page_size

    @cached_property
    def cached_as(self) -> tuple[UUID, str] | None:
        """The match and the name under which the page may be cached, if it may."""
        match_id: UUID | None = self.filters.get("match_id")
        status = self.filters.get("status", "")
        if match_id is None or len(self.filters) > 2 or self.page > 1:
            return None
        if status not in ("", Status.READY):
            return None
        return match_id, f"{status}:{self.page_size}"

    def next_link(self, last: Document) -> str:
        """The `Link` header to what follows `last`: relative, so that it leads out of no prefix."""
        kept = {name: text for name, text in self.parameters.items() if name != "page"}
        return f'<?{urlencode({**kept, "cursor": cursor_of(last)})}>; rel="next"'


@lru_cache(maxsize=1024)
def parse(query_string: str) -> Query:
    """The query of a URL.

    Raises:
        InvalidInput: with the reasons, by parameter.
    """
    if len(query_string) > LONGEST:
        raise InvalidInput({"query": [f"must have at most {LONGEST} characters"]})
    given = parse_qsl(query_string, keep_blank_values=True, max_num_fields=None)
    reader = _Reader([(name, text.strip()) for name, text in given])
    wanted: dict[str, Any] = {
        "match_id": reader.match_id(),
        "status": reader.status(),
        **reader.team(),
        "event_type": reader.event_type(),
        "updated_since": reader.updated_since(),
    }
    filters = {name: value for name, value in wanted.items() if value is not None}
    if "status" not in filters:
        filters["standing"] = True
    filters |= reader.cursor()
    page = reader.number("page", 1, ROWS_BY_NUMBER + 1)
    page_size = reader.number("pageSize", PAGE_SIZE, PAGE_SIZE_LIMIT)
    if "after" in filters:
        page = 1
    if page > 1 and page * page_size > ROWS_BY_NUMBER:
        reader.refuse("page", BEYOND)
    reader.finish()
    return Query(filters, reader.given, page, page_size)


def cursor_of(last: Document) -> str:
    """The cursor that continues after this highlight; opaque to who holds it."""
    return base64.urlsafe_b64encode(f"{last.occurred_at}/{last.id}".encode()).decode().rstrip("=")


class _Reader:
    """Reads parameters one by one and collects what is wrong with them."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        given = dict(pairs)
        self.given = {name: text for name, text in given.items() if text}
        self._errors: FieldErrors = {
            name: [explain_unknown(name[:MAX_NAME_LENGTH], PARAMETERS)]
            for name in islice((each for each in given if each not in PARAMETERS), MAX_ERRORS)
        }
        for name in (name for name, text in given.items() if not text and name in NEVER_EMPTY):
            self.refuse(name, "must not be empty; without a value it is left out")
        if len(given) < len(pairs):
            counts = Counter(name for name, _ in pairs if name in PARAMETERS)
            for name in (name for name, count in counts.items() if count > 1):
                self.refuse(name, "must be given once")

    def finish(self) -> None:
        if self._errors:
            raise InvalidInput(self._errors)

    def text(self, name: str) -> str | None:
        text = self.given.get(name)
        if text is not None and "\0" in text:
            self.refuse(name, "must not contain the NUL character")
            return None
        return text

    def team(self) -> dict[str, str]:
        """The filter by a side, or by the name of one."""
        key = fold_name(self.text("team") or "")
        if not key:
            return {}
        return {"side" if key in SIDES else "team_key": key}

    def event_type(self) -> str | None:
        event_type = self.text("eventType")
        return event_type and fold_event_type(event_type)

    def match_id(self) -> UUID | None:
        text = self.given.get("matchId")
        try:
            return UUID(text) if text else None
        except ValueError:
            self.refuse("matchId", "must be a UUID")
            return None

    def status(self) -> str | None:
        given = self.given.get("status", "")
        status = given.upper()
        if status and not (given.isascii() and status in SHOWN_STATUSES):
            self.refuse("status", f"must be one of {', '.join(SHOWN_STATUSES)}")
            return None
        return status or None

    def updated_since(self) -> datetime | None:
        # A + that was not encoded arrives as a space.
        text = re.sub(r" (?=\d\d:\d\d$)", "+", self.given.get("updatedSince", ""))
        try:
            return parse_rfc3339(text) if text else None
        except ValueError as error:
            self.refuse("updatedSince", str(error))
            return None

    def cursor(self) -> dict[str, Any]:
        text = self.given.get("cursor")
        if not text:
            return {}
        try:
            padded = text + "=" * (-len(text) % 4)
            after, _, after_id = base64.urlsafe_b64decode(padded).decode().partition("/")
            return {"after": parse_rfc3339(after), "after_id": UUID(after_id)}
        except ValueError:
            self.refuse("cursor", "must come from the Link header of an earlier answer")
            return {}

    def number(self, name: str, default: int, limit: int) -> int:
        text = self.given.get(name)
        if text is None:
            return default
        if not INTEGER.fullmatch(text):
            self.refuse(name, "must be an integer")
            return default
        if text.startswith("-"):
            return 1
        digits = text.lstrip("+0") or "0"
        return limit if len(digits) >= MORE_THAN_ANY else min(max(int(digits), 1), limit)

    def refuse(self, name: str, why: str) -> None:
        self._errors.setdefault(name, []).append(why)
