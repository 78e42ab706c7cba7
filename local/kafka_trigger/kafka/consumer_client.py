"""A trigger's client in its consumer group, and what the client's callbacks report."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.config.models import Config, Trigger
from local.kafka_trigger.kafka.broker_watchdog import BrokerWatchdog
from local.kafka_trigger.kafka.credentials import SaslCredentials
from local.kafka_trigger.kafka.settings import consumer_settings, group_protocol

CommitResult = tuple[KafkaError | None, list[TopicPartition]]

log = logging.getLogger("kafka")


@dataclass(frozen=True)
class ConsumerClient:
    """A client with what its callbacks, which it is made with, report while it is polled.

    `commit_results` are those of asynchronous commits, the oldest first. `after_poll` is to be
    called after each poll. `reports_empty_assignment`: Apache Kafka 4's group protocol does not
    call `on_assign` for a member that gets no partition; only the group's metadata change then.
    """

    consumer: Consumer
    commit_results: deque[CommitResult] = field(default_factory=deque)
    brokers: BrokerWatchdog = field(default_factory=BrokerWatchdog)
    after_poll: Callable[[], None] = lambda: None
    reports_empty_assignment: bool = True


def connect(
    kafka: Kafka,
    trigger: Trigger,
    prefetch: int,
    read_config: Callable[[], Config],
    make_consumer: Callable[..., Consumer] = Consumer,
) -> ConsumerClient:
    """Return a trigger's client, which prefetches about `prefetch` records of each partition.

    `read_config` is called when the broker rejects the password; it may raise ConfigError.
    Raises KafkaException when librdkafka rejects the settings.
    """

    def settings_of(kafka: Kafka) -> dict[str, Any]:
        return consumer_settings(kafka, trigger, prefetch)

    settings = settings_of(kafka)
    credentials = SaslCredentials(settings, lambda: settings_of(read_config().kafka))
    brokers = BrokerWatchdog()
    commit_results: deque[CommitResult] = deque()
    callbacks = {
        "on_commit": lambda *result: commit_results.append(result),
        "stats_cb": brokers.read_statistics,
        "error_cb": credentials.on_error,
    }
    consumer = make_consumer({**settings, **callbacks}, logger=log)
    return ConsumerClient(
        consumer,
        commit_results,
        brokers,
        partial(credentials.update, consumer),
        reports_empty_assignment=group_protocol(kafka) != "consumer",
    )
