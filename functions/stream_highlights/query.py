"""The query parameters of GET /highlights/stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.errors import InvalidInput
from functions.shared.http.query_parameters import QueryParameters

PARAMETERS: Final = ("matchId", "team", "eventType", "lastEventId")
HEADER: Final = "Last-Event-ID"


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """The highlights that a client follows, and the place after which it does; None is now."""

    filters: Mapping[str, Any]
    after: ChangeCursor | None


def parse_stream_query(query: str, last_event_id: str | None) -> StreamQuery:
    """Parse the query of a URL; the header `Last-Event-ID` overrides the parameter.

    A browser sends the header when it comes back, to the URL that it was first given.

    Raises:
        InvalidInput: with the reasons, by parameter.
    """
    parameters = QueryParameters(query, PARAMETERS)
    filters = parameters.highlight_filters()
    after = parameters.change_cursor("lastEventId")
    parameters.raise_for_errors()
    if not last_event_id:
        return StreamQuery(filters, after)
    try:
        return StreamQuery(filters, ChangeCursor.parse(last_event_id))
    except ValueError as error:
        raise InvalidInput({HEADER: [str(error)]}) from None
