"""The settings of the Kafka clients, their errors and their logs."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.config.models import Trigger
from local.kafka_trigger.config.msk_iam import for_librdkafka
from local.kafka_trigger.kafka.broker_watchdog import STATISTICS_EVERY_MS

CLASSIC_ONLY = {
    "group.protocol.type",
    "heartbeat.interval.ms",
    "partition.assignment.strategy",
    "session.timeout.ms",
}
# A broker's errors while a group has no coordinator: after a restart, or when the group is new.
NO_COORDINATOR = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}
# Its errors while a partition has no leader, or the client's metadata names a former one.
NO_LEADER = {KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION}
REPEAT_AFTER_S = 30.0
RECONNECT = {"reconnect.backoff.max.ms": 1_000}  # the default of 10 s would delay records


def group_protocol(kafka: Kafka) -> str:
    """Return the consumers' group protocol: `classic`, or `consumer` (Apache Kafka 4)."""
    return str({**kafka.common, **kafka.consumer}.get("group.protocol", "classic")).lower()


def consumer_settings(kafka: Kafka, trigger: Trigger, depth: int) -> dict[str, Any]:
    """Return the settings of a trigger's consumer, which prefetches `depth` records a partition.

    The file's settings override the defaults, but not what the trigger's guarantees rest on.
    """
    settings: dict[str, Any] = {
        "queued.min.messages": depth,  # a pause discards what was prefetched
        "fetch.queue.backoff.ms": 5,  # with so short a queue, its default of 1 s would stall it
        "topic.metadata.refresh.interval.ms": 5_000,  # finds a topic that is created later
        **RECONNECT,
        **kafka.common,
        **kafka.consumer,
        "statistics.interval.ms": STATISTICS_EVERY_MS,
        "group.id": trigger.group,
        "auto.offset.reset": trigger.auto_offset_reset,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,  # reports ends, also behind offsets without a record
    }
    if group_protocol(kafka) == "consumer":
        settings = _without(settings, CLASSIC_ONLY)
    return for_librdkafka(settings)


def producer_settings(kafka: Kafka) -> dict[str, Any]:
    """Return the settings of the producer of dead letters.

    It is not idempotent: a dead letter that is not acknowledged is written again, so there may be
    duplicates whatever the producer does.
    """
    settings = {
        "message.timeout.ms": 10_000,  # how often a topic that cannot be written is reported
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


def raise_for_errors(results: Iterable[TopicPartition] | None) -> list[TopicPartition]:
    """Return the results of a request about partitions; raises KafkaException if one failed."""
    checked = list(results or ())
    for result in checked:
        if result.error:
            raise KafkaException(result.error)
    return checked


class ThrottleFilter(logging.Filter):
    """Lets each kind of librdkafka's log lines pass every 30 s: it repeats some every 50 ms."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._passed_at: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line passes; its arguments begin with its kind, as FAIL, and client."""
        arguments = record.args[:2] if isinstance(record.args, tuple) else ()
        kind = (record.msg, *(each for each in arguments if isinstance(each, str)))
        now = self._clock()
        if now - self._passed_at.get(kind, -REPEAT_AFTER_S) < REPEAT_AFTER_S:
            return False
        self._passed_at[kind] = now
        return True
