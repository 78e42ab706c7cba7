"""What consume-goal reads from the environment."""

from functions.shared.http.settings import HttpSettings
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.events import EventSettings


class ConsumeGoalSettings(
    HttpSettings, KafkaSettings, PostgresSettings, RedisSettings, EventSettings
):
    """The services it writes to, and which events it takes."""
