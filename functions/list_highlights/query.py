"""What a reader asks for: the parameters of GET /highlights, checked."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from functions.shared.contracts import moment
from functions.shared.highlights import READY, STATUSES, Document
from functions.shared.problems import ERRORS_TOLD, NAME_TOLD, Errors, invalid, unknown

PAGE_SIZE: Final = 50
PAGE_SIZE_LIMIT: Final = 100
PAGE_LIMIT: Final = 1_000_000
PARAMETERS: Final = (
    "matchId", "status", "team", "eventType", "updatedSince", "page", "pageSize", "cursor",
)  # fmt: skip
INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
LONGEST = 4096  # characters of a query; the longest that makes sense has a quarter of that
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
        if match_id is None or len(self.filters) > 2 or self.page > 1 or status not in ("", READY):
            return None
        return match_id, f"{status}:{self.page_size}"

    def next_link(self, last: Document) -> str:
        """The `Link` header to what follows `last`."""
        kept = {name: text for name, text in self.parameters.items() if name != "page"}
        return f'</highlights?{urlencode({**kept, "cursor": cursor_of(last)})}>; rel="next"'


@lru_cache(maxsize=1024)
def parse(query_string: str) -> Query:
    """The query of a URL.

    Raises:
        Problem: 400, with why each refused parameter is refused.
    """
    if len(query_string) > LONGEST:
        raise invalid({"query": [f"must have at most {LONGEST} characters"]})
    given = dict(parse_qsl(query_string, keep_blank_values=True, max_num_fields=None))
    reader = _Reader({name: text.strip() for name, text in given.items()})
    wanted: dict[str, Any] = {
        "match_id": reader.match_id(),
        "status": reader.status(),
        "team": reader.text("team"),
        "event_type": reader.text("eventType"),
        "updated_since": reader.updated_since(),
    }
    filters = {name: value for name, value in wanted.items() if value is not None}
    if "status" not in filters:
        filters["standing"] = True
    filters |= reader.cursor()
    page = 1 if "after" in filters else reader.number("page", 1, PAGE_LIMIT)
    page_size = reader.number("pageSize", PAGE_SIZE, PAGE_SIZE_LIMIT)
    reader.finish()
    return Query(filters, reader.given, page, page_size)


def cursor_of(last: Document) -> str:
    """The cursor that continues after this highlight; opaque to who holds it."""
    return base64.urlsafe_b64encode(f"{last.occurred_at}/{last.id}".encode()).decode().rstrip("=")


class _Reader:
    """Reads parameters one by one and collects what is wrong with them."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = {name: text for name, text in given.items() if text}
        self._errors: Errors = {
            name: [unknown(name[:NAME_TOLD], PARAMETERS)]
            for name in islice((each for each in given if each not in PARAMETERS), ERRORS_TOLD)
        }

    def finish(self) -> None:
        if self._errors:
            raise invalid(self._errors)

    def text(self, name: str) -> str | None:
        text = self.given.get(name)
        if text is not None and "\0" in text:
            self._refuse(name, "must not contain the NUL character")
            return None
        return text

    def match_id(self) -> UUID | None:
        text = self.given.get("matchId")
        try:
            return UUID(text) if text else None
        except ValueError:
            self._refuse("matchId", "must be a UUID")
            return None

    def status(self) -> str | None:
        given = self.given.get("status", "")
        status = given.upper()
        if status and not (given.isascii() and status in STATUSES):
            self._refuse("status", f"must be one of {', '.join(STATUSES)}")
            return None
        return status or None

    def updated_since(self) -> datetime | None:
        # A + that was not encoded arrives as a space.
        text = re.sub(r" (?=\d\d:\d\d$)", "+", self.given.get("updatedSince", ""))
        try:
            return moment(text) if text else None
        except ValueError as error:
            self._refuse("updatedSince", str(error))
            return None

    def cursor(self) -> dict[str, Any]:
        text = self.given.get("cursor")
        if not text:
            return {}
        try:
            padded = text + "=" * (-len(text) % 4)
            after, _, after_id = base64.urlsafe_b64decode(padded).decode().partition("/")
            return {"after": moment(after), "after_id": UUID(after_id)}
        except ValueError:
            self._refuse("cursor", "must come from the Link header of an earlier answer")
            return {}

    def number(self, name: str, default: int, limit: int) -> int:
        text = self.given.get(name)
        if text is None:
            return default
        if not INTEGER.fullmatch(text):
            self._refuse(name, "must be an integer")
            return default
        if text.startswith("-"):
            return 1
        digits = text.lstrip("+0") or "0"
        return limit if len(digits) >= MORE_THAN_ANY else min(max(int(digits), 1), limit)

    def _refuse(self, name: str, why: str) -> None:
        self._errors.setdefault(name, []).append(why)
