"""The settings of list-highlights."""

from functions.shared.http.settings import AccessSettings
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.languages import LanguageSettings


class ListHighlightsSettings(PostgresSettings, RedisSettings, AccessSettings, LanguageSettings):
    """The table, the cache of its first pages, who may read, and in which languages."""
