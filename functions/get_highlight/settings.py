"""The settings of get-highlight."""

from functions.shared.http.settings import AccessSettings
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.languages import LanguageSettings


class GetHighlightSettings(PostgresSettings, AccessSettings, LanguageSettings):
    """The table, who may read, and in which languages."""
