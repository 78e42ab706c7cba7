"""The settings of get-highlight."""

from functions.shared.http.settings import AccessSettings
from functions.shared.postgres.settings import PostgresSettings


class GetHighlightSettings(PostgresSettings, AccessSettings):
    """The table, and who may read."""
