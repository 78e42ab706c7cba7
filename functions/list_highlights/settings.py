"""The settings of list-highlights."""

from functions.shared.http.settings import AccessSettings
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.settings import RedisSettings


class ListHighlightsSettings(PostgresSettings, RedisSettings, AccessSettings):
    """The table, the cache of its first pages, and who may read."""
