"""The command line of the Kafka trigger."""

import argparse
from pathlib import Path
from typing import Any

from local.kafka_trigger.commands.replay_range import ALL, bound_from, bound_to
from local.kafka_trigger.config.address import web_address
from local.kafka_trigger.faults.inject import KINDS, fault
from local.process.arguments import add_probe_arguments

EXIT_STATUSES = """\
exit status: 0 done, 1 something failed, 2 nothing was begun: a wrong argument or file,
130 interrupted"""
DISCARD = """\
Closes dead letters that nobody needs any more: they are listed and redriven no longer. Kafka
deletes no single record, so a letter stays in its topic, where `dlq show` finds it, until the
topic's retention ends. A letter counts as discarded when a mark, a record with the header
dlq_discarded, is in the dead-letter topic beside it. What is buried while the command runs is left
for the next one."""
REDRIVE = """\
Writes dead letters back to the topic and partition that they came from: key, value and headers
as they were, without those of the burial, and with one that counts redrives (dlq_redrives).
A letter counts as redriven when a mark, a record with the header dlq_redriven, is in the
dead-letter topic beside it; it is written when the broker has acknowledged the letter (acks=all).
What is buried while the command runs is left for the next one."""

Commands = Any  # argparse keeps the type of its sub-parsers to itself


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    made = argparse.ArgumentParser(
        prog="python -m local.kafka_trigger",
        description="Brings the records of Kafka topics to functions over HTTP.",
        epilog=EXIT_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    _add(commands, "check", "say what a triggers' file means, or what is wrong with it")
    _add_status(commands)
    _add_dlq(commands)
    _add_replay(commands)
    _add_invoke(commands)
    return made


def _add(commands: Commands, name: str, what: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=what, description=f"{what[0].upper()}{what[1:]}."
    )
    made.add_argument("file", type=Path, metavar="FILE", help="the triggers' file (TOML)")
    return made


def _add_run(commands: Commands) -> None:
    made = _add(commands, "run", "run the triggers until SIGTERM or Ctrl-C")
    add_probe_arguments(made)
    made.add_argument(
        "--fault",
        type=fault,
        action="append",
        default=[],
        metavar="KIND:RATE",
        help="disturb the function, to prove it idempotent; KIND is one of "
        f"{', '.join(KINDS)}, RATE from 0 to 1 (of the requests, or for a rebalance of the times "
        "when records came); may be given several times",
    )
    made.add_argument(
        "--seed", type=int, metavar="N", help="what the faults are drawn from (default: anything)"
    )


def _add_status(commands: Commands) -> None:
    made = _add(commands, "status", "show the offset, end and lag of each partition")
    made.add_argument(
        "--url",
        action="append",
        default=[],
        metavar="URL",
        help="where a running trigger serves its probes, such as http://127.0.0.1:9401: adds what "
        "is in flight, paused, its attempts and its age; may be given several times",
    )
    _add_json(made)


def _add_dlq(commands: Commands) -> None:
    made = _add(commands, "dlq", "list, show, redrive or discard the dead letters of a trigger")
    actions = made.add_subparsers(dest="action", required=True, metavar="list|show|redrive|discard")
    listing = actions.add_parser("list", help="list those that are neither redriven nor discarded")
    listing.add_argument("--redriven", action="store_true", help="list those redriven too")
    listing.add_argument("--discarded", action="store_true", help="list those discarded too")
    showing = actions.add_parser("show", help="show one with its headers and its value")
    showing.add_argument("id", metavar="ID", help="partition:offset, as the list has it")
    redriving = actions.add_parser(
        "redrive",
        help="write some or all back to where they came from",
        description=REDRIVE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    discarding = actions.add_parser(
        "discard",
        help="close some or all that nobody needs any more",
        description=DISCARD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    discarding.add_argument("--yes", action="store_true", help="do not ask first")
    for action, done in ((redriving, "redriven"), (discarding, "discarded")):
        action.add_argument("ids", nargs="*", metavar="ID", help="partition:offset, of the list")
        action.add_argument("--all", action="store_true", help="all that the list shows")
        _add_dry_run(action, f"say what would be {done}, and write nothing")
    for action in (listing, showing, redriving, discarding):
        _add_trigger(action)
    for action in (listing, showing):
        _add_json(action)


def _add_replay(commands: Commands) -> None:
    made = _add(
        commands, "replay", "deliver records once more, without touching the group's offsets"
    )
    _add_trigger(made)
    made.add_argument(
        "--from",
        dest="start",
        type=bound_from,
        required=True,
        metavar="FROM",
        help="the first: an offset, a time such as 2026-07-19T18:00:00Z, or earliest",
    )
    made.add_argument(
        "--to",
        dest="end",
        type=bound_to,
        default=ALL,
        metavar="TO",
        help="the first that is left out: an offset or a time (default: the end as it is now)",
    )
    made.add_argument("--partition", type=int, metavar="N", help="this partition only")
    _add_function(made)
    _add_dry_run(made, "say what would be delivered, and deliver nothing")


def _add_invoke(commands: Commands) -> None:
    made = _add(commands, "invoke", "post sample records to a function, once")
    made.add_argument(
        "event_file",
        type=Path,
        metavar="EVENT_FILE",
        help='a record in JSON, {"key": …, "value": …, "headers": …}, or an array of them',
    )
    _add_trigger(made)
    _add_function(made)


def _add_trigger(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--trigger", metavar="NAME", help="which trigger of the file, if it has several"
    )


def _add_function(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--function", type=_address, metavar="URL", help="another function than the trigger's own"
    )


def _address(text: str) -> str:
    try:
        return web_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _add_json(made: argparse.ArgumentParser) -> None:
    made.add_argument("--json", action="store_true", help="print JSON")


def _add_dry_run(made: argparse.ArgumentParser, what: str) -> None:
    made.add_argument("--dry-run", action="store_true", help=what)
