"""The Kafka clients' settings, and their logs."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from local.kafka_trigger.config.models import Kafka, Trigger
from local.kafka_trigger.kafka.broker_watchdog import LOOK_EVERY_MS
from local.kafka_trigger.kafka.msk_iam import for_librdkafka

CLASSIC_ONLY = {
    "group.protocol.type",
    "heartbeat.interval.ms",
    "partition.assignment.strategy",
    "session.timeout.ms",
}
# What a broker answers of a group while nobody coordinates it: after a restart, or at first.
NO_COORDINATOR = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}
# What it answers of a partition while that has no leader, or the client knows of an earlier one.
NO_LEADER = {KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION}
REPEAT_AFTER_S = 30.0
RECONNECT = {"reconnect.backoff.max.ms": 1_000}  # its usual 10 s would be waited for by records


def group_protocol(kafka: Kafka) -> str:
    """Which group protocol the consumers use: `classic`, or `consumer` (Apache Kafka 4)."""
    return str({**kafka.common, **kafka.consumer}.get("group.protocol", "classic")).lower()


def consumer_settings(kafka: Kafka, trigger: Trigger, depth: int) -> dict[str, Any]:
    """A trigger's consumer, which fetches about `depth` records ahead of each partition.

    The file's settings win over these, but for those that the trigger's promises rest on.
    """
    settings: dict[str, Any] = {
        "queued.min.messages": depth,  # a pause throws away what was fetched ahead
        "fetch.queue.backoff.ms": 5,  # with so little ahead, the usual second would stall it
        "topic.metadata.refresh.interval.ms": 5_000,  # finds a topic that is made later
        **RECONNECT,
        **kafka.common,
        **kafka.consumer,
        "statistics.interval.ms": LOOK_EVERY_MS,
        "group.id": trigger.group,
        "auto.offset.reset": trigger.auto_offset_reset,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,  # tells where a partition ends, past what is no record
    }
    if group_protocol(kafka) == "consumer":
        settings = _without(settings, CLASSIC_ONLY)
    return for_librdkafka(settings)


def producer_settings(kafka: Kafka) -> dict[str, Any]:
    """The producer of dead letters.

    It is not idempotent: a dead letter that is not acknowledged is written again, and so may come
    twice whatever the producer does.
    """
    settings = {
        "message.timeout.ms": 10_000,  # how often a topic that cannot be written is complained of
        "message.max.bytes": 100_000_000,  # the broker decides what is too large
        **RECONNECT,
        "log_level": 2,  # each failure is reported with its record
        **_without(kafka.common, CLASSIC_ONLY | {"group.protocol"}),
        **kafka.producer,
        "acks": "all",
    }
    return for_librdkafka(settings)


def _without(settings: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in keys}


def raise_for_errors(places: Iterable[TopicPartition] | None) -> list[TopicPartition]:
    """What a client was answered of partitions; raises KafkaException if that is an error."""
    told = list(places or ())
    for place in told:
        if place.error:
            raise KafkaException(place.error)
    return told


class ThrottleFilter(logging.Filter):
    """Lets each kind of librdkafka's lines pass once in a while: it repeats itself every 50 ms."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._passed_at: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line passes; its first arguments are its kind, such as FAIL, and its client."""
        arguments = record.args[:2] if isinstance(record.args, tuple) else ()
        kind = (record.msg, *(each for each in arguments if isinstance(each, str)))
        now = self._clock()
        if now - self._passed_at.get(kind, -REPEAT_AFTER_S) < REPEAT_AFTER_S:
            return False
        self._passed_at[kind] = now
        return True
