"""`python -m infra.topics`: creates the missing topics on KAFKA_BOOTSTRAP_SERVERS."""

import sys
from typing import Annotated

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic
from pydantic import Field

from functions.shared.contract.topics import DEAD_LETTERS, HIGHLIGHTS_PENDING, MATCH_EVENTS
from functions.shared.kafka.client import client_configuration
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.settings.load import load

DAY_MS = 24 * 60 * 60 * 1000
RETENTION_MS = {MATCH_EVENTS: 7 * DAY_MS, HIGHLIGHTS_PENDING: DAY_MS, DEAD_LETTERS: 30 * DAY_MS}
PARTITIONS = {MATCH_EVENTS: 6, HIGHLIGHTS_PENDING: 6, DEAD_LETTERS: 1}


class TopicsSettings(KafkaSettings):
    """The broker, and the replication factor of the topics."""

    kafka_replication_factor: Annotated[int, Field(ge=1, le=10)] = 1


def _config(name: str, replication: int) -> dict[str, str]:
    # With more than two replicas an acknowledgement is of two, and one broker may be down.
    in_sync = {"min.insync.replicas": "2"} if replication > 2 else {}
    return {"retention.ms": str(RETENTION_MS[name]), **in_sync}


def create(admin: AdminClient, replication: int) -> list[str]:
    """Create the missing topics; return their names.

    Raises:
        KafkaException: the broker refuses, or does not answer within 30 seconds.
    """
    topics = [
        NewTopic(name, count, replication, config=_config(name, replication))
        for name, count in PARTITIONS.items()
    ]
    created = []
    for name, future in admin.create_topics(topics, request_timeout=30).items():
        try:
            future.result()
            created.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return created


def main() -> None:
    """Create the topics, and print which."""
    settings = load(TopicsSettings)
    admin = AdminClient(client_configuration(settings))
    try:
        created = create(admin, settings.kafka_replication_factor)
    except KafkaException as error:
        sys.exit(f"the topics could not be created: {error.args[0].str()}")
    sys.stdout.write(f"created: {', '.join(created) or 'nothing, every topic is there'}\n")


if __name__ == "__main__":
    main()
