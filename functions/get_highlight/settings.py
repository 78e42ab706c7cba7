"""The settings of get-highlight."""

from functions.shared.settings.load import AccessSettings, PostgresSettings


class GetHighlightSettings(PostgresSettings, AccessSettings):
    """The table, and who may read."""
