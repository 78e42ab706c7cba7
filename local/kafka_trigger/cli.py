"""The Kafka trigger's command: `python -m local.kafka_trigger COMMAND FILE`, see `--help`."""

import argparse
import os
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial

from confluent_kafka import KafkaException
from prometheus_client import CollectorRegistry

from functions.shared.observability.logs import configure_logging
from functions.shared.settings.secret_references import process_secrets
from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.arguments import make_parser
from local.kafka_trigger.commands.dead_letters.command import dlq
from local.kafka_trigger.commands.errors import USAGE_ERROR, CommandError
from local.kafka_trigger.commands.invoke import invoke
from local.kafka_trigger.commands.replay import replay
from local.kafka_trigger.commands.status import status
from local.kafka_trigger.config.load import ConfigError, load
from local.kafka_trigger.config.models import Config
from local.kafka_trigger.faults.fault_injection import fault_injection
from local.kafka_trigger.run import run
from local.kafka_trigger.wiring import make_consumers
from local.process.urls import redact_query

Command = Callable[[Config, argparse.Namespace, threading.Event], int]


def main(stopping: threading.Event, arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status, which is 2 when the file cannot be used."""
    options = make_parser().parse_args(arguments)
    output.set_up()
    try:
        config = load(options.file, os.environ)
        return COMMANDS[options.command](config, options, stopping)
    except ConfigError as error:
        return _fail(str(error), USAGE_ERROR)
    except CommandError as error:
        return _fail(f"{options.command}: {error}", error.status)
    except KafkaException as error:
        return _fail(f"{options.command}: {error.args[0].str()}", 1)
    except BrokenPipeError:  # nobody reads the list any more, as after `| head`
        return 0
    finally:
        output.flush()


def _run(config: Config, options: argparse.Namespace, stopping: threading.Event) -> int:
    configure_logging("kafka-trigger")
    registry = CollectorRegistry()
    faults = fault_injection(options.fault, options.seed)
    read = partial(load, options.file, os.environ, partial(process_secrets.resolve, refresh=True))
    try:
        consumers = make_consumers(config, registry, faults, read)
    except KafkaException as error:
        return _fail(f"{options.file}: [kafka]: {error.args[0].str()}", USAGE_ERROR)
    return run(config, consumers, registry, options, stopping)


def _check(config: Config, options: argparse.Namespace, _: threading.Event) -> int:
    try:
        make_consumers(config, CollectorRegistry())
    except KafkaException as error:
        return _fail(f"{options.file}: [kafka]: {error.args[0].str()}", USAGE_ERROR)
    sys.stdout.write(_summary(config))
    return 0


COMMANDS: dict[str, Command] = {
    "run": _run,
    "check": _check,
    "status": status,
    "dlq": dlq,
    "replay": replay,
    "invoke": invoke,
}


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"{message}\n")
    return status


def _summary(config: Config) -> str:
    return "".join(
        f"{each.name}: {each.topic} -> {redact_query(each.function)}, group {each.group}, "
        f"{each.batch_size} records a batch as {each.envelope}, "
        f"dead letters to {each.dead_letter_topic or 'the log'}\n"
        for each in config.triggers
    )
