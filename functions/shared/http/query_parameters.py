"""The query parameters of a request, parsed one by one, with all their errors together."""

import re
from collections import Counter
from collections.abc import Collection
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request

from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.contract.event_types import fold_event_type
from functions.shared.contract.field_errors import (
    MAX_ERRORS,
    MAX_NAME_LENGTH,
    FieldErrors,
    explain_unknown,
)
from functions.shared.contract.team_names import SIDES, fold_name
from functions.shared.errors import InvalidInput
from functions.shared.http.languages import Language, Languages

MAY_BE_EMPTY: Final = frozenset({"team", "eventType", "changedSince", "lastEventId"})
INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
MAX_LENGTH = 4096  # characters of a query; the longest useful one has a quarter of that
MAX_DIGITS = 8  # a number of more digits is beyond every limit


def query_string(request: Request) -> str:
    """Return the query of a URL; bytes that are not UTF-8 are replaced."""
    return bytes(request.scope["query_string"]).decode(errors="replace")


class QueryParameters:
    """The parameters of a query by name, of those that a route knows.

    `values` holds the ones that are not empty; a method returns the value of one, or None, and
    collects what is wrong with it.
    """

    def __init__(self, query: str, known: Collection[str]) -> None:
        """Parse a query.

        Raises:
            InvalidInput: it is too long.
        """
        if len(query) > MAX_LENGTH:
            raise InvalidInput({"query": [f"must have at most {MAX_LENGTH} characters"]})
        parsed = parse_qsl(query, keep_blank_values=True, max_num_fields=None)
        pairs = [(name, value.strip()) for name, value in parsed]
        self.given = dict(pairs)
        self.values = {name: value for name, value in self.given.items() if value}
        unknown = (name for name in self.given if name not in known)
        self._errors: FieldErrors = {
            name: [explain_unknown(name[:MAX_NAME_LENGTH], tuple(known))]
            for name in islice(unknown, MAX_ERRORS)
        }
        for name, value in self.given.items():
            if not value and name in known and name not in MAY_BE_EMPTY:
                self.add_error(name, "must not be empty; without a value it is left out")
        if len(self.given) < len(pairs):
            counts = Counter(name for name, _ in pairs if name in known)
            for name in (name for name, count in counts.items() if count > 1):
                self.add_error(name, "must be given once")

    def add_error(self, name: str, why: str) -> None:
        """Say why a parameter is not valid."""
        self._errors.setdefault(name, []).append(why)

    def raise_for_errors(self) -> None:
        """Return if there is no error.

        Raises:
            InvalidInput: with the reasons, by parameter.
        """
        if self._errors:
            raise InvalidInput(self._errors)

    def text(self, name: str) -> str | None:
        """Return a text."""
        text = self.values.get(name)
        if text is not None and "\0" in text:
            self.add_error(name, "must not contain the NUL character")
            return None
        return text

    def uuid(self, name: str) -> UUID | None:
        """Return a UUID."""
        text = self.values.get(name)
        try:
            return UUID(text) if text else None
        except ValueError:
            self.add_error(name, "must be a UUID")
            return None

    def integer(self, name: str, default: int, limit: int) -> int:
        """Return an integer, clamped to 1 and the limit."""
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

    def change_cursor(self, name: str) -> ChangeCursor | None:
        """Return a place in the change feed."""
        text = self.values.get(name)
        try:
            return ChangeCursor.parse(text) if text else None
        except ValueError as error:
            self.add_error(name, str(error))
            return None

    def language(self, languages: Languages) -> Language | None:
        """Return the language that `lang` asks for."""
        text = self.values.get("lang")
        language = languages.find(text) if text else None
        if text and language is None:
            self.add_error("lang", f"must be one of {', '.join(languages.tags)}")
        return language

    def highlight_filters(self) -> dict[str, Any]:
        """Return the filters by `matchId`, `team` and `eventType`, by the names of the store's."""
        event_type = self.text("eventType")
        filters = {
            "match_id": self.uuid("matchId"),
            **self._team(),
            "event_type": event_type and fold_event_type(event_type),
        }
        return {name: value for name, value in filters.items() if value is not None}

    def _team(self) -> dict[str, str]:
        """Return the filter by a side, or by a team's name."""
        key = fold_name(self.text("team") or "")
        if not key:
            return {}
        return {"side" if key in SIDES else "team_key": key}
