"""Putting the parts of a trigger together."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer
from prometheus_client import CollectorRegistry

from local.kafka_trigger.config.models import Config, Kafka, Trigger
from local.kafka_trigger.consuming.consumer import TriggerConsumer
from local.kafka_trigger.consuming.partition import Partition
from local.kafka_trigger.consuming.record_queue import RecordQueue, depth
from local.kafka_trigger.delivering.attempts import Attempts, CountedPosts
from local.kafka_trigger.delivering.availability_log import AvailabilityLog
from local.kafka_trigger.delivering.dead_letter import (
    ONE_BY_ONE,
    DeadLetterLog,
    DeadLetters,
    DeadLetterTopic,
)
from local.kafka_trigger.delivering.delivery import Delivery, Posts
from local.kafka_trigger.delivering.google_identity import tokens_for
from local.kafka_trigger.delivering.transport import HttpTransport
from local.kafka_trigger.envelopes.choice import encoder
from local.kafka_trigger.faults.fault_injection import NONE, FaultInjection, Wait
from local.kafka_trigger.filters.compile import compile_filters
from local.kafka_trigger.kafka.broker_watchdog import BrokerWatchdog
from local.kafka_trigger.kafka.credentials import Credentials
from local.kafka_trigger.kafka.producer import ResilientProducer
from local.kafka_trigger.kafka.settings import (
    ThrottleFilter,
    consumer_settings,
    group_protocol,
    producer_settings,
)
from local.kafka_trigger.observing.gauges import Gauges
from local.kafka_trigger.observing.metrics import Metrics, TriggerMetrics

BuryIn = Callable[[str, str], DeadLetters]  # a topic, for a trigger's name

kafka_log = logging.getLogger("kafka")


def make_consumers(
    config: Config,
    registry: CollectorRegistry,
    disturbance: FaultInjection = NONE,
    read: Callable[[], Config] | None = None,
) -> list[TriggerConsumer]:
    """A consumer for each trigger; they share the producer of dead letters.

    What there is to see of them is seen in the registry. `read` reads the configuration anew, for
    a password that is refused; it may raise ConfigError.
    Raises KafkaException when librdkafka does not take its settings.
    """
    kafka_log.addFilter(ThrottleFilter())
    read = read or (lambda: config)
    bury_in = _burial(config.kafka, read)
    metrics = Metrics(registry)
    consumers = [
        _consumer(config.kafka, each, bury_in, metrics.of(each.name), disturbance, read)
        for each in config.triggers
    ]
    registry.register(Gauges([consumer.watch for consumer in consumers]))
    return consumers


def _burial(kafka: Kafka, read: Callable[[], Config]) -> BuryIn:
    """Who buries in any topic, with one producer."""
    settings = producer_settings(kafka) | ONE_BY_ONE
    credentials = Credentials(settings, lambda: producer_settings(read().kafka))
    producer = credentials.client = ResilientProducer({**settings, "error_cb": credentials.heard})
    return lambda topic, name: DeadLetterTopic(topic, name, producer, polled=credentials.polled)


def _consumer(
    kafka: Kafka,
    trigger: Trigger,
    bury_in: BuryIn,
    metrics: TriggerMetrics,
    disturbance: FaultInjection,
    read: Callable[[], Config],
) -> TriggerConsumer:
    def settings_in(kafka: Kafka) -> dict[str, Any]:
        return consumer_settings(kafka, trigger, depth(trigger.batch_size))

    settings = settings_in(kafka)
    credentials = Credentials(settings, lambda: settings_in(read().kafka))
    brokers = BrokerWatchdog()

    def connect(on_commit: Callable[..., None]) -> Consumer:
        callbacks = {
            "on_commit": on_commit, "stats_cb": brokers.note, "error_cb": credentials.heard
        }  # fmt: skip
        client = disturbance.consumer({**settings, **callbacks}, logger=kafka_log)
        credentials.client = client
        return client

    return TriggerConsumer(
        trigger,
        connect,
        _partition_maker(kafka, trigger, bury_in, metrics, disturbance),
        brokers=brokers,
        polled=credentials.polled,
        is_told_nothing=group_protocol(kafka) == "consumer",
    )


def _partition_maker(
    kafka: Kafka,
    trigger: Trigger,
    bury_in: BuryIn,
    metrics: TriggerMetrics,
    disturbance: FaultInjection,
) -> Callable[[int], Partition]:
    outage = AvailabilityLog(trigger.name)
    dead_letters = _dead_letters(trigger, bury_in)
    tokens = tokens_for(trigger.auth, trigger.function)

    def make_partition(number: int) -> Partition:
        stopping, aborted = threading.Event(), threading.Event()
        attempts = Attempts()
        transport = HttpTransport(trigger.function, trigger.timeout_s, tokens)
        posts = disturbance.around(transport, trigger.name, number, stopping.wait)
        counted = CountedPosts(posts, attempts)
        delivery = make_delivery(
            kafka, trigger, counted, dead_letters, outage, metrics, stopping.wait, aborted.wait,
            attempts.block,
        )  # fmt: skip
        queue = make_queue(trigger, trigger.batch_window_ms / 1000)

        def abort() -> None:
            aborted.set()
            transport.abort()

        return Partition(number, queue, delivery, stopping, abort, attempts)

    return make_partition


def make_delivery(
    kafka: Kafka,
    trigger: Trigger,
    posts: Posts,
    dead_letters: DeadLetters,
    outage: AvailabilityLog,
    metrics: TriggerMetrics,
    wait: Wait,
    wait_on: Wait | None = None,
    blocked: Callable[[str | None], None] = lambda _: None,
) -> Delivery:
    """A delivery as the trigger says: its retries, its envelope, its filters."""
    return Delivery(
        trigger.name,
        trigger.retry,
        posts,
        dead_letters,
        outage,
        metrics,
        wait=wait,
        wait_on=wait_on,
        encode=encoder(trigger.envelope, kafka.bootstrap_servers),
        wants=compile_filters(trigger.filter),
        blocked=blocked,
    )


def make_queue(trigger: Trigger, window_s: float) -> RecordQueue:
    """A queue that gives batches as the trigger says."""
    return RecordQueue(
        batch_size=trigger.batch_size, batch_bytes=trigger.batch_bytes, window_s=window_s
    )


def _dead_letters(trigger: Trigger, bury_in: BuryIn) -> DeadLetters:
    if trigger.dead_letter_topic is None:
        return DeadLetterLog(trigger.name)
    return bury_in(trigger.dead_letter_topic, trigger.name)
