"""What consume-goal reads from the environment."""

from functions.shared.settings.load import (
    EventSettings,
    KafkaSettings,
    PostgresSettings,
    RedisSettings,
)


class ConsumeGoalSettings(KafkaSettings, PostgresSettings, RedisSettings, EventSettings):
    """The services it writes to, and which events it takes."""
