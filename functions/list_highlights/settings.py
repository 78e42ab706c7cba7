"""What list-highlights reads from the environment."""

from functions.shared.settings import PostgresSettings, RedisSettings


class ListHighlightsSettings(PostgresSettings, RedisSettings):
    """The table, and the cache of its first pages."""
