"""What consume-goal reads from the environment."""

from typing import Annotated

from pydantic import StringConstraints

from functions.shared.settings import KafkaSettings, PostgresSettings, RedisSettings


class ConsumeGoalSettings(KafkaSettings, PostgresSettings, RedisSettings):
    """The services it writes to, and which events make a highlight."""

    highlight_event_types: Annotated[str, StringConstraints(pattern=r"[^\s,]")] = (
        "goal,own_goal,penalty_goal"
    )

    @property
    def highlight_types(self) -> frozenset[str]:
        """The event types that make a highlight, in lower case."""
        types = self.highlight_event_types.lower().split(",")
        return frozenset(event_type.strip() for event_type in types if event_type.strip())
