"""A fake of the Kafka client that creates topics."""

from typing import Any

from confluent_kafka.admin import NewTopic


class FakeAdmin:
    """An admin client that records the topics that it creates."""

    def __init__(self) -> None:
        self.created: dict[str, NewTopic] = {}

    def create_topics(self, topics: list[NewTopic], **_: Any) -> dict[str, Any]:
        """Make topics."""
        self.created = {each.topic: each for each in topics}
        return dict.fromkeys(self.created, self)

    def result(self) -> None:
        """Return, since the topic is made."""
