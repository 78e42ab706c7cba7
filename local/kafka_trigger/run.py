"""Runs triggers, each in a thread of its own, and serves their probes."""

import argparse
import logging
import sys
import threading
from collections.abc import Sequence
from functools import partial

from prometheus_client import CollectorRegistry

from local.kafka_trigger.config.models import Config
from local.kafka_trigger.consuming.consumer import TriggerConsumer
from local.kafka_trigger.kafka.settings import group_protocol
from local.kafka_trigger.observing.reports import health, readiness, status
from local.process import probes
from local.process.probes import Endpoints, exposition
from local.process.urls import redact_query

log = logging.getLogger("local.kafka_trigger")


def run(
    config: Config,
    consumers: Sequence[TriggerConsumer],
    registry: CollectorRegistry,
    options: argparse.Namespace,
    stopping: threading.Event,
) -> int:
    """Run until `stopping` is set; returns the exit status: 1 when a trigger failed."""
    if stopping.is_set():  # while modules were imported: there is no group to leave
        return 0
    states = [consumer.state for consumer in consumers]
    sources = Endpoints(
        health=lambda: health(states),
        ready=lambda: readiness(states, is_stopping=stopping.is_set()),
        metrics=partial(exposition, registry),
        more={"/status": lambda: status(states)},
    )
    try:
        with probes.serve(sources, options.host, options.port):
            return _consume_all(config, consumers, stopping)
    except probes.CannotListen as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _consume_all(
    config: Config, consumers: Sequence[TriggerConsumer], stopping: threading.Event
) -> int:
    _log_triggers(config)
    failed = threading.Event()
    threads = [
        threading.Thread(target=_consume, args=(consumer, stopping, failed))
        for consumer in consumers
    ]
    for thread in threads:
        thread.start()
    stopping.wait()
    for thread in threads:
        thread.join()
    return 1 if failed.is_set() else 0


def _log_triggers(config: Config) -> None:
    for trigger in config.triggers:
        fields = trigger.model_dump(include={"name", "topic", "group", "function", "envelope"})
        fields["function"] = redact_query(trigger.function)
        fields["group_protocol"] = group_protocol(config.kafka)
        log.info("trigger starts", extra={"fields": fields})


def _consume(consumer: TriggerConsumer, stopping: threading.Event, failed: threading.Event) -> None:
    """Run a consumer; if it fails, all end, so that a supervisor restarts the process."""
    try:
        consumer.run(stopping)
    except Exception:
        fields = {"trigger": consumer.state.trigger}
        log.exception("the trigger cannot go on", extra={"fields": fields})
        failed.set()
    finally:
        stopping.set()
