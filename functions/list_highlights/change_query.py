"""The query parameters of the change feed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from functions.list_highlights.query import PAGE_SIZE, PAGE_SIZE_LIMIT, PARAMETERS, change_link
from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.http.languages import ENGLISH, ONLY, Language, Languages
from functions.shared.http.query_parameters import QueryParameters
from functions.shared.postgres.change_feed import ChangePage

NOT_OF_THE_FEED = ("status", "updatedSince", "page", "cursor")


@dataclass(frozen=True, eq=False)
class ChangeQuery:
    """A query for changes after a place; without a place there are none yet.

    Equal query strings make the same object, which serves as a key.
    """

    after: ChangeCursor | None
    filters: Mapping[str, Any]
    parameters: Mapping[str, str]
    page_size: int
    language: Language | None = None

    def links(self, page: ChangePage, language: Language = ONLY) -> str:
        """Return the `Link` header: where to read on, at once if more is there already."""
        rels = ("next", "changes") if page.has_more else ("changes",)
        parameters = language.carried(self.parameters)
        return ", ".join(change_link(parameters, str(page.cursor), rel) for rel in rels)


@lru_cache(maxsize=1024)
def parse_change_query(query: str, languages: Languages = ENGLISH) -> ChangeQuery | None:
    """Parse the query of a URL, or return None if it does not ask for changes.

    Raises:
        InvalidInput: with the reasons, by parameter.
    """
    parameters = QueryParameters(query, PARAMETERS)
    if "changedSince" not in parameters.given:
        return None
    for name in NOT_OF_THE_FEED:
        if name in parameters.given:
            parameters.add_error(name, "does not go with changedSince")
    filters = parameters.highlight_filters()
    page_size = parameters.integer("pageSize", PAGE_SIZE, PAGE_SIZE_LIMIT)
    after = parameters.change_cursor("changedSince")
    language = parameters.language(languages)
    parameters.raise_for_errors()
    return ChangeQuery(after, filters, parameters.values, page_size, language)
