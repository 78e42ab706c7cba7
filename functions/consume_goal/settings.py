"""The settings of consume-goal."""

from functions.shared.http.settings import HttpSettings
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.events import EventSettings


class ConsumeGoalSettings(
    HttpSettings, KafkaSettings, PostgresSettings, RedisSettings, EventSettings
):
    """The services that it writes to, and the events that it accepts."""
