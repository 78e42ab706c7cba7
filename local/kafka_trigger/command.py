"""The Kafka trigger's command: `python -m local.kafka_trigger run FILE`, or `check FILE`."""

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import KafkaException
from prometheus_client import CollectorRegistry

from local import probe_options
from local.kafka_trigger.assemble import make_consumers
from local.kafka_trigger.config import Config
from local.kafka_trigger.load import ConfigError, load
from local.kafka_trigger.run import run


def main(stopping: threading.Event, arguments: Sequence[str] | None = None) -> int:
    """Run the command until `stopping`; returns its exit status: 2 when the file cannot be used."""
    options = _parser().parse_args(arguments)
    registry = CollectorRegistry()
    try:
        config = load(options.file, os.environ)
        consumers = make_consumers(config, registry)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KafkaException as error:
        sys.stderr.write(f"{options.file}: [kafka]: {error.args[0].str()}\n")
        return 2
    if options.command == "check":
        sys.stdout.write(_summary(config))
        return 0
    return run(config, consumers, registry, options, stopping)


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
        if name == "run":
            probe_options.add_to(command)
    return parser


def _summary(config: Config) -> str:
    return "".join(
        f"{each.name}: {each.topic} -> {each.function}, group {each.group}, "
        f"{each.batch_size} records a batch, "
        f"dead letters to {each.dead_letter_topic or 'the log'}\n"
        for each in config.triggers
    )
