"""The Kafka trigger's command: `python -m local.kafka_trigger run FILE`, or `check FILE`."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import KafkaException

from functions.shared.logs import configure
from local.kafka_trigger.assemble import make_consumers
from local.kafka_trigger.client import group_protocol
from local.kafka_trigger.config import Config
from local.kafka_trigger.consumer import TriggerConsumer
from local.kafka_trigger.load import ConfigError, load

log = logging.getLogger("local.kafka_trigger")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 2 when the file cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        config = load(options.file, os.environ)
        consumers = make_consumers(config)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KafkaException as error:
        sys.stderr.write(f"{options.file}: [kafka]: {error.args[0].str()}\n")
        return 2
    if options.command == "check":
        sys.stdout.write(_summary(config))
        return 0
    return _run(config, consumers)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.kafka_trigger",
        description="Brings the records of Kafka topics to functions over HTTP.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in {
        "run": "run the triggers until SIGTERM or Ctrl-C",
        "check": "say what a triggers' file means, or what is wrong with it",
    }.items():
        command = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        command.add_argument("file", type=Path, metavar="FILE", help="the triggers' file (TOML)")
    return parser


def _summary(config: Config) -> str:
    return "".join(
        f"{each.name}: {each.topic} -> {each.function}, group {each.group}, "
        f"{each.batch_size} records a batch, "
        f"dead letters to {each.dead_letter_topic or 'the log'}\n"
        for each in config.triggers
    )


def _run(config: Config, consumers: Sequence[TriggerConsumer]) -> int:
    configure("kafka-trigger")
    stopping, failed = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    for trigger in config.triggers:
        fields = trigger.model_dump(include={"name", "topic", "group", "function"})
        fields["group_protocol"] = group_protocol(config.kafka)
        log.info("trigger starts", extra={"fields": fields})
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


def _consume(consumer: TriggerConsumer, stopping: threading.Event, failed: threading.Event) -> None:
    """Run a consumer; one that cannot go on ends them all, for whoever started us to see."""
    try:
        consumer.run(stopping)
    except Exception:
        log.exception("a trigger cannot go on")
        failed.set()
    finally:
        stopping.set()


if __name__ == "__main__":
    sys.exit(main())
