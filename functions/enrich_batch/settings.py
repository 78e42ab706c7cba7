"""The settings of enrich-batch."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from functions.enrich_batch.remote.settings import EnricherSettings
from functions.shared.http.settings import HttpSettings
from functions.shared.postgres.highlight_sql import LONGEST_BACKOFF_S
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.base import Seconds


class EnrichBatchSettings(EnricherSettings, HttpSettings, PostgresSettings, RedisSettings):
    """The enricher, the size and the lease of a claim, and the attempts at a highlight."""

    enrich_batch_size: Annotated[int, Field(ge=1, le=1000)] = 500
    enrich_time_budget_s: Seconds = 20.0
    enrich_timeout_s: Seconds = 10.0
    enrich_lease_s: Seconds = Field(30.0, validate_default=True)
    enrich_max_attempts: Annotated[int, Field(ge=1, le=100)] = 5
    enrich_backoff_s: Seconds = 2.0

    @property
    def max_ahead_s(self) -> float:
        """The seconds beyond which no lease and no backoff may reach.

        Twice those of these settings, since another worker may have been started with longer ones.
        """
        longest: float = self.enrich_backoff_s * 2 ** (self.enrich_max_attempts - 1)
        return 2 * max(self.enrich_lease_s, min(longest, LONGEST_BACKOFF_S))

    @field_validator("enrich_lease_s")
    @classmethod
    def _must_outlive_an_attempt(cls, lease_s: float, info: ValidationInfo) -> float:
        if lease_s <= info.data.get("enrich_timeout_s", 0.0):
            raise ValueError("must be more than ENRICH_TIMEOUT_S, which it covers")
        return lease_s
