"""The settings of list-highlights."""

from functions.shared.settings.load import AccessSettings, PostgresSettings, RedisSettings


class ListHighlightsSettings(PostgresSettings, RedisSettings, AccessSettings):
    """The table, the cache of its first pages, and who may read."""
