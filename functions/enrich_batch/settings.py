"""What enrich-batch reads from the environment."""

from typing import Annotated

from pydantic import Field

from functions.shared.settings import PostgresSettings, RedisSettings, Seconds


class EnrichBatchSettings(PostgresSettings, RedisSettings):
    """How much is claimed at once, for how long, and how often it is tried."""

    enrich_batch_size: Annotated[int, Field(ge=1, le=1000)] = 100
    enrich_time_budget_s: Seconds = 20.0
    enrich_lease_s: Seconds = 30.0
    enrich_timeout_s: Seconds = 10.0
    enrich_max_attempts: Annotated[int, Field(ge=1, le=100)] = 5
    enrich_backoff_s: Seconds = 2.0
