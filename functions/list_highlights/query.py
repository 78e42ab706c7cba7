"""The query parameters of GET /highlights and GET /matches, parsed and validated."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from functions.shared.contract.event import parse_rfc3339
from functions.shared.contract.highlight import SHOWN_STATUSES, Status
from functions.shared.http.languages import ENGLISH, ONLY, Language, Languages
from functions.shared.http.query_parameters import QueryParameters
from functions.shared.postgres.highlights import Document

PAGE_SIZE: Final = 50
PAGE_SIZE_LIMIT: Final = 100
MAX_ROWS_BY_PAGE: Final = 10_000  # further ones are read by cursor: an OFFSET is slow
PARAMETERS: Final = (
    "matchId", "status", "team", "eventType", "updatedSince", "page", "pageSize", "cursor",
    "changedSince", "lang",
)  # fmt: skip
MATCH_PARAMETERS: Final = ("matchId", "pageSize", "cursor")
CARRIED_TO_CHANGES: Final = ("matchId", "team", "eventType", "pageSize", "lang")
PAGE_TOO_FAR = (
    f"lies beyond the first {MAX_ROWS_BY_PAGE:,} highlights; to read on, follow the Link header,"
    " whose cursor has no such limit"
)


@dataclass(frozen=True, eq=False)
class Query:
    """A query for a list: its filters, its page, and the language that it asks for.

    Equal query strings make the same object, which serves as a key.
    """

    filters: Mapping[str, Any]
    parameters: Mapping[str, str]
    page: int
    page_size: int
    feed_path: str = ""  # of the change feed, relative to the list
    language: Language | None = None

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

    def links(self, last: Document | None, moment: str, language: Language = ONLY) -> str:
        """Return the `Link` header: to the page after `last`, if any, and to what changes later.

        All that it leads to is in the language of the page, however that was chosen.
        """
        parameters = language.carried(self.parameters)
        changes = change_link(parameters, moment, "changes", path=self.feed_path)
        if last is None:
            return changes
        parameters.pop("page", None)
        return f"{link({**parameters, 'cursor': cursor_of(last)}, 'next')}, {changes}"


@lru_cache(maxsize=1024)
def parse_query(query: str, languages: Languages = ENGLISH) -> Query:
    """Parse the query of a URL of highlights.

    Raises:
        InvalidInput: with the reasons, by parameter.
    """
    parameters = QueryParameters(query, PARAMETERS)
    filters = parameters.highlight_filters()
    if status := _status(parameters):
        filters["status"] = status
    else:
        filters["not_retracted"] = True
    if updated_since := _updated_since(parameters):
        filters["updated_since"] = updated_since
    filters |= _after(parameters)
    language = parameters.language(languages)
    page = parameters.integer("page", 1, MAX_ROWS_BY_PAGE + 1)
    page_size = parameters.integer("pageSize", PAGE_SIZE, PAGE_SIZE_LIMIT)
    if "after" in filters:
        page = 1
    if page > 1 and page * page_size > MAX_ROWS_BY_PAGE:
        parameters.add_error("page", PAGE_TOO_FAR)
    parameters.raise_for_errors()
    return Query(filters, parameters.values, page, page_size, language=language)


@lru_cache(maxsize=1024)
def parse_match_query(query: str) -> Query:
    """Parse the query of a URL of matches.

    Raises:
        InvalidInput: with the reasons, by parameter.
    """
    parameters = QueryParameters(query, MATCH_PARAMETERS)
    filters = parameters.highlight_filters() | _after(parameters)
    page_size = parameters.integer("pageSize", PAGE_SIZE, PAGE_SIZE_LIMIT)
    parameters.raise_for_errors()
    return Query(filters, parameters.values, 1, page_size, feed_path="highlights")


def link(parameters: Mapping[str, str], rel: str, path: str = "") -> str:
    """Return a link of a `Link` header, relative to keep a proxy's prefix (RFC 8288, 3)."""
    return f'<{path}?{urlencode(parameters)}>; rel="{rel}"'


def change_link(parameters: Mapping[str, str], cursor: str, rel: str, path: str = "") -> str:
    """Return the link to the changes after a cursor, by the filters that the feed has too."""
    carried = {name: parameters[name] for name in CARRIED_TO_CHANGES if name in parameters}
    return link({**carried, "changedSince": cursor}, rel, path)


def cursor_of(last: Document) -> str:
    """Return the cursor to what is listed after this one; opaque to clients."""
    return base64.urlsafe_b64encode(f"{last.occurred_at}/{last.id}".encode()).decode().rstrip("=")


def _after(parameters: QueryParameters) -> dict[str, Any]:
    """Return the filters by `cursor`."""
    text = parameters.values.get("cursor")
    if not text:
        return {}
    try:
        padded = text + "=" * (-len(text) % 4)
        after, _, after_id = base64.urlsafe_b64decode(padded).decode().partition("/")
        return {"after": parse_rfc3339(after), "after_id": UUID(after_id)}
    except ValueError:
        parameters.add_error("cursor", "must come from the Link header of an earlier answer")
        return {}


def _status(parameters: QueryParameters) -> str | None:
    given = parameters.values.get("status", "")
    status = given.upper()
    if status and not (given.isascii() and status in SHOWN_STATUSES):
        parameters.add_error("status", f"must be one of {', '.join(SHOWN_STATUSES)}")
        return None
    return status or None


def _updated_since(parameters: QueryParameters) -> datetime | None:
    # A + that is not percent-encoded is decoded as a space.
    text = re.sub(r" (?=\d\d:\d\d$)", "+", parameters.values.get("updatedSince", ""))
    try:
        return parse_rfc3339(text) if text else None
    except ValueError as error:
        parameters.add_error("updatedSince", str(error))
        return None
