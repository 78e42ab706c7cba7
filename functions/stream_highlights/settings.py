"""The settings of stream-highlights."""

from typing import Annotated

from pydantic import Field

from functions.shared.http.settings import AccessSettings
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.base import Seconds


class StreamHighlightsSettings(PostgresSettings, RedisSettings, AccessSettings):
    """The table, what wakes its reader, who may follow it, and the bounds of a stream.

    A backlog counts events that a client has not taken yet.
    """

    stream_max_clients: Annotated[int, Field(ge=1, le=100_000)] = 1000
    stream_backlog: Annotated[int, Field(ge=1, le=10_000)] = 200
    stream_max_age_s: Seconds = 600.0
    stream_heartbeat_s: Annotated[float, Field(gt=0, le=15)] = 15.0
