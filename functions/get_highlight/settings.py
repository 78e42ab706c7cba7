"""What get-highlight reads from the environment."""

from functions.shared.settings import AccessSettings, PostgresSettings


class GetHighlightSettings(PostgresSettings, AccessSettings):
    """The table, and who may read."""
