"""The project's own programs that a stack runs."""

import dataclasses
import sys
from collections.abc import Mapping

from local.stack import ROOT
from local.supervisor import Command, Run

TOPICS, TRIGGER, CRON, MIGRATIONS = "topics", "trigger", "cron", "migrations"


def migrations(settings: Mapping[str, str]) -> Command:
    """Return the command that migrates the database, and ends."""
    return _python(MIGRATIONS, ("infra.migrate",), settings, once=True)


def topics(settings: Mapping[str, str]) -> Command:
    """Return the command that creates the topics, and ends."""
    return _python(TOPICS, ("infra.topics",), settings, once=True)


def trigger(settings: Mapping[str, str]) -> Command:
    """Return the command that delivers the records of the topics to the functions."""
    command = _python(TRIGGER, ("local.kafka_trigger", "run", "local/triggers.toml"), settings)
    return dataclasses.replace(command, ready=_is_assigned)


def cron(settings: Mapping[str, str]) -> Command:
    """Return the command that calls functions on a schedule."""
    return _python(CRON, ("local.cron", "local/crontab"), settings)


def has_started(run: Run) -> bool:
    """Return whether the trigger is about to join its groups."""
    return "trigger starts" in run.output()


def _is_assigned(run: Run) -> bool:
    """Return whether every trigger that has started has its partitions."""
    output = run.output()
    started = output.count("trigger starts")
    return run.was_ready or 0 < started <= output.count("partitions assigned")


def _python(
    name: str, module: tuple[str, ...], settings: Mapping[str, str], *, once: bool = False
) -> Command:
    return Command(
        name,
        (sys.executable, "-m", *module),
        environment={**settings, "PYTHONPATH": str(ROOT)},
        directory=ROOT,
        once=once,
    )
