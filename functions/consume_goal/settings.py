"""The settings of consume-goal."""

from functions.shared.settings.load import (
    EventSettings,
    KafkaSettings,
    PostgresSettings,
    RedisSettings,
)


class ConsumeGoalSettings(KafkaSettings, PostgresSettings, RedisSettings, EventSettings):
    """The services that it writes to, and the events that it accepts."""
