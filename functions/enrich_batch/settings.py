"""The settings of enrich-batch."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from functions.enrich_batch.enricher import Style
from functions.enrich_batch.remote.settings import EnricherSettings
from functions.enrich_batch.template.language import LANGUAGES
from functions.shared.http.settings import HttpSettings
from functions.shared.postgres.highlight_sql import LONGEST_BACKOFF_S
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.base import Seconds
from functions.shared.settings.languages import LanguageSettings


class EnrichBatchSettings(
    EnricherSettings, LanguageSettings, HttpSettings, PostgresSettings, RedisSettings
):
    """Who writes, in which languages; how much is claimed, and how often it is attempted.

    `enrich_while_away` is what new highlights get while the enricher's endpoint is away: the text
    of the template, to be replaced later, or none, so that they wait.
    """

    enrich_style: Style = "neutral"
    enrich_batch_size: Annotated[int, Field(ge=1, le=1000)] = 500
    enrich_time_budget_s: Seconds = 20.0
    enrich_deadline_s: Seconds = Field(45.0, validate_default=True)
    enrich_timeout_s: Seconds = 10.0
    enrich_lease_s: Seconds = Field(30.0, validate_default=True)
    enrich_max_attempts: Annotated[int, Field(ge=1, le=100)] = 5
    enrich_backoff_s: Seconds = 2.0
    enrich_concurrency: Annotated[int, Field(ge=1, le=100)] = 4
    enrich_max_per_minute: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    enrich_while_away: Literal["template", "wait"] = "template"

    @property
    def max_ahead_s(self) -> float:
        """The seconds beyond which no lease and no backoff may reach.

        Twice those of these settings, since another worker may have been started with longer ones.
        """
        return 2 * max(self.enrich_lease_s, self.longest_backoff_s)

    @property
    def longest_backoff_s(self) -> float:
        """The longest wait before an attempt, in seconds."""
        return self.backoff_s(self.enrich_max_attempts)

    def backoff_s(self, attempts: int) -> float:
        """Return the longest wait after so many attempts, in seconds: twice as long each time."""
        wait_s: float = self.enrich_backoff_s * 2 ** (attempts - 1)
        return min(wait_s, LONGEST_BACKOFF_S)

    @field_validator("languages")
    @classmethod
    def _must_have_phrases(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [tag for tag in tags if tag not in LANGUAGES]:
            raise ValueError(f"there are no phrases in {unknown[0]}, but in {' '.join(LANGUAGES)}")
        return tags

    @field_validator("enrich_deadline_s")
    @classmethod
    def _must_leave_time_for_claims(cls, deadline_s: float, info: ValidationInfo) -> float:
        if deadline_s <= info.data.get("enrich_time_budget_s", 0.0):
            raise ValueError("must be more than ENRICH_TIME_BUDGET_S, which it ends")
        return deadline_s

    @field_validator("enrich_lease_s")
    @classmethod
    def _must_outlive_an_attempt(cls, lease_s: float, info: ValidationInfo) -> float:
        if lease_s <= info.data.get("enrich_timeout_s", 0.0):
            raise ValueError("must be more than ENRICH_TIMEOUT_S, which it covers")
        return lease_s
