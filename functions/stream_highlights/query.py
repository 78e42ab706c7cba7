"""The query parameters of GET /highlights/stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.errors import InvalidInput
from functions.shared.http.languages import ENGLISH, Language, Languages
from functions.shared.http.query_parameters import QueryParameters

PARAMETERS: Final = ("matchId", "team", "eventType", "lastEventId", "lang")
HEADER: Final = "Last-Event-ID"


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """The highlights that a client follows, the place after which it does, and in which language.

    No place is now; no language is that of the header, or the first.
    """

    filters: Mapping[str, Any]
    after: ChangeCursor | None
    language: Language | None


def parse_stream_query(
    query: str, last_event_id: str | None, languages: Languages = ENGLISH
) -> StreamQuery:
    """Parse the query of a URL; the header `Last-Event-ID` overrides the parameter.

    A browser sends the header when it comes back, to the URL that it was first given.

    Raises:
        InvalidInput: with the reasons, by parameter.
    """
    parameters = QueryParameters(query, PARAMETERS)
    filters = parameters.highlight_filters()
    after = parameters.change_cursor("lastEventId")
    language = parameters.language(languages)
    parameters.raise_for_errors()
    if not last_event_id:
        return StreamQuery(filters, after, language)
    try:
        return StreamQuery(filters, ChangeCursor.parse(last_event_id), language)
    except ValueError as error:
        raise InvalidInput({HEADER: [str(error)]}) from None
