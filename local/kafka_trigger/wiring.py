"""Builds triggers from their configuration."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry

from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.config.models import Config, Trigger
from local.kafka_trigger.consuming.consumer import TriggerConsumer
from local.kafka_trigger.consuming.partition_worker import PartitionWorker
from local.kafka_trigger.consuming.record_queue import RecordQueue, capacity
from local.kafka_trigger.delivering.availability_log import AvailabilityLog
from local.kafka_trigger.delivering.context import (
    DeliveryContext,
    DeliveryMetrics,
    DeliveryStatus,
    Waits,
)
from local.kafka_trigger.delivering.dead_letter import DeadLetterLog, DeadLetterSink
from local.kafka_trigger.delivering.dead_letter_topic import SINGLE_RECORD_BATCHES, DeadLetterTopic
from local.kafka_trigger.delivering.google_identity import tokens_for
from local.kafka_trigger.delivering.retrying_deliverer import RetryingDeliverer
from local.kafka_trigger.delivering.transport import HttpTransport
from local.kafka_trigger.envelopes.encoder import encoder_for
from local.kafka_trigger.faults.fault_injection import NO_FAULTS, FaultInjection
from local.kafka_trigger.filters.record_filter import compile_filters
from local.kafka_trigger.kafka.consumer_client import connect
from local.kafka_trigger.kafka.credentials import SaslCredentials
from local.kafka_trigger.kafka.producer import ResilientProducer
from local.kafka_trigger.kafka.settings import ThrottleFilter, producer_settings
from local.kafka_trigger.observing.counters import Metrics
from local.kafka_trigger.observing.gauges import Gauges

MakeSink = Callable[[Trigger], DeadLetterSink]

kafka_log = logging.getLogger("kafka")


def make_consumers(
    config: Config,
    registry: CollectorRegistry,
    faults: FaultInjection = NO_FAULTS,
    read_config: Callable[[], Config] | None = None,
) -> list[TriggerConsumer]:
    """Return a consumer for each trigger; they share the producer of dead letters.

    Their metrics are added to the registry. `read_config` reads the configuration again when the
    broker rejects the password; it may raise ConfigError.
    Raises KafkaException when librdkafka rejects its settings.
    """
    kafka_log.addFilter(ThrottleFilter())
    read_config = read_config or (lambda: config)
    make_sink = _sink_maker(config.kafka, read_config)
    metrics = Metrics(registry)
    consumers = []
    for trigger in config.triggers:
        prefetch = capacity(trigger.batch_size)
        client = connect(config.kafka, trigger, prefetch, read_config, faults.make_consumer)
        context = delivery_context(
            config.kafka, trigger, make_sink(trigger), metrics.of(trigger.name)
        )
        make_worker = _worker_maker(trigger, context, faults)
        consumers.append(TriggerConsumer(trigger, client, make_worker))
    registry.register(Gauges([consumer.state for consumer in consumers]))
    return consumers


def delivery_context(
    kafka: Kafka, trigger: Trigger, dead_letters: DeadLetterSink, metrics: DeliveryMetrics
) -> DeliveryContext:
    """Return what a trigger's deliveries share: its retries, its envelope, its filters."""
    return DeliveryContext(
        trigger=trigger.name,
        retry=trigger.retry,
        encode=encoder_for(trigger.envelope, kafka.bootstrap_servers),
        accepts=compile_filters(trigger.filter),
        dead_letters=dead_letters,
        availability=AvailabilityLog(trigger.name),
        metrics=metrics,
    )


def make_queue(trigger: Trigger, window_s: float) -> RecordQueue:
    """Return a queue that makes batches by the trigger's limits."""
    return RecordQueue(
        batch_size=trigger.batch_size, batch_bytes=trigger.batch_bytes, window_s=window_s
    )


def _sink_maker(kafka: Kafka, read_config: Callable[[], Config]) -> MakeSink:
    """Return a function that makes a trigger's dead-letter sink, on one producer for all."""
    settings = producer_settings(kafka) | SINGLE_RECORD_BATCHES
    credentials = SaslCredentials(settings, lambda: producer_settings(read_config().kafka))
    producer = ResilientProducer({**settings, "error_cb": credentials.on_error})
    after_poll = partial(credentials.update, producer)

    def make_sink(trigger: Trigger) -> DeadLetterSink:
        if trigger.dead_letter_topic is None:
            return DeadLetterLog(trigger.name)
        return DeadLetterTopic(
            trigger.dead_letter_topic, trigger.name, producer, after_poll=after_poll
        )

    return make_sink


def _worker_maker(
    trigger: Trigger, context: DeliveryContext, faults: FaultInjection
) -> Callable[[int], PartitionWorker]:
    """Return a function that makes a partition's worker."""
    tokens = tokens_for(trigger.auth, trigger.function)

    def make_worker(partition: int) -> PartitionWorker:
        stopping, aborted = threading.Event(), threading.Event()
        status = DeliveryStatus()
        http = HttpTransport(trigger.function, trigger.timeout_s, tokens)
        transport = faults.wrap_transport(http, trigger.name, partition, stopping.wait)
        waits = Waits(stopping.wait, aborted.wait)
        deliverer = RetryingDeliverer(context, transport, waits, status)
        queue = make_queue(trigger, trigger.batch_window_ms / 1000)

        def abort() -> None:
            aborted.set()
            http.abort()

        return PartitionWorker(partition, queue, deliverer, status, stopping, abort)

    return make_worker
