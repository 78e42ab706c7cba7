"""The settings of stream-highlights."""

from typing import Annotated

from pydantic import Field

from functions.shared.http.settings import AccessSettings
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.base import Seconds
from functions.shared.settings.languages import LanguageSettings


class StreamHighlightsSettings(PostgresSettings, RedisSettings, AccessSettings, LanguageSettings):
    """The table, what wakes the reader of its changes, who may follow them, and a stream's bounds.

    A client is a connection, and by default a process may open 1,024 files. A client's backlog is
    the number of events that it has not taken yet.
    """

    stream_max_clients: Annotated[int, Field(ge=1, le=100_000)] = 1000
    stream_backlog: Annotated[int, Field(ge=2, le=100_000)] = 1000
    stream_max_age_s: Seconds = 600.0
