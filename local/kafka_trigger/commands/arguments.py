"""The command line of the Kafka trigger."""

import argparse
from pathlib import Path
from typing import Any

from local.kafka_trigger.commands.replay_range import UNBOUNDED, parse_from, parse_to
from local.kafka_trigger.config.address import web_address
from local.kafka_trigger.faults.fault_injection import parse_fault
from local.kafka_trigger.faults.faulty_transport import KINDS
from local.process.arguments import add_probe_arguments

EXIT_STATUSES = """\
exit status: 0 done, 1 something failed, 2 nothing was begun: a wrong argument or file,
130 interrupted"""
DISCARD = """\
Closes dead letters that nobody needs any more: they are listed and redriven no longer. Kafka
deletes no single record, so a dead letter stays in its topic, where `dlq show` finds it, until the
topic's retention ends. A dead letter counts as discarded when a marker, a record with the header
dlq_discarded, is in the dead-letter topic beside it. Dead letters that are written while the
command runs are left for the next run."""
REDRIVE = """\
Writes dead letters back to the topic and partition that they came from: key, value and headers
as they were, without the headers of the dead letter, and with one that counts redrives
(dlq_redrives). A dead letter counts as redriven when a marker, a record with the header
dlq_redriven, is in the dead-letter topic beside it; the marker is written when the broker has
acknowledged the record (acks=all). Dead letters that are written while the command runs are left
for the next run."""

Commands = Any  # argparse does not export the type of its sub-parsers


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m local.kafka_trigger",
        description="Delivers the records of Kafka topics to functions over HTTP.",
        epilog=EXIT_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_command(
        commands, "check", "describe the triggers of a file, or report what is wrong with it"
    )
    _add_status(commands)
    _add_dlq(commands)
    _add_replay(commands)
    _add_invoke(commands)
    return parser


def _add_command(commands: Commands, name: str, summary: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    command.add_argument("file", type=Path, metavar="FILE", help="the triggers' file (TOML)")
    return command


def _add_run(commands: Commands) -> None:
    command = _add_command(commands, "run", "run the triggers until SIGTERM or Ctrl-C")
    add_probe_arguments(command)
    command.add_argument(
        "--fault",
        type=parse_fault,
        action="append",
        default=[],
        metavar="KIND:RATE",
        help="inject faults, to prove the function idempotent; KIND is one of "
        f"{', '.join(KINDS)}, RATE from 0 to 1 (of the requests, or for a rebalance of the times "
        "when records came); may be given several times",
    )
    command.add_argument(
        "--seed", type=int, metavar="N", help="seed of the faults' random numbers (default: random)"
    )


def _add_status(commands: Commands) -> None:
    command = _add_command(commands, "status", "show the offset, end and lag of each partition")
    command.add_argument(
        "--url",
        action="append",
        default=[],
        metavar="URL",
        help="where a running trigger serves its probes, such as http://127.0.0.1:9401: adds what "
        "is in flight, paused, its attempts and its age; may be given several times",
    )
    _add_json(command)


def _add_dlq(commands: Commands) -> None:
    command = _add_command(
        commands, "dlq", "list, show, redrive or discard the dead letters of a trigger"
    )
    actions = command.add_subparsers(
        dest="action", required=True, metavar="list|show|redrive|discard"
    )
    list_ = actions.add_parser("list", help="list those that are neither redriven nor discarded")
    list_.add_argument("--redriven", action="store_true", help="list those redriven too")
    list_.add_argument("--discarded", action="store_true", help="list those discarded too")
    show = actions.add_parser("show", help="show one with its headers and its value")
    show.add_argument("id", metavar="ID", help="partition:offset, as in the list")
    redrive = actions.add_parser(
        "redrive",
        help="write some or all back to where they came from",
        description=REDRIVE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    discard = actions.add_parser(
        "discard",
        help="close some or all that nobody needs any more",
        description=DISCARD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    discard.add_argument("--yes", action="store_true", help="do not ask first")
    for action, done in ((redrive, "redriven"), (discard, "discarded")):
        action.add_argument("ids", nargs="*", metavar="ID", help="partition:offset, as in the list")
        action.add_argument("--all", action="store_true", help="all that the list shows")
        _add_dry_run(action, f"print what would be {done}, and write nothing")
    for action in (list_, show, redrive, discard):
        _add_trigger(action)
    for action in (list_, show):
        _add_json(action)


def _add_replay(commands: Commands) -> None:
    command = _add_command(
        commands, "replay", "deliver records once more, without touching the group's offsets"
    )
    _add_trigger(command)
    command.add_argument(
        "--from",
        dest="start",
        type=parse_from,
        required=True,
        metavar="FROM",
        help="the first: an offset, a time such as 2026-07-19T18:00:00Z, or earliest",
    )
    command.add_argument(
        "--to",
        dest="end",
        type=parse_to,
        default=UNBOUNDED,
        metavar="TO",
        help="the first that is left out: an offset or a time (default: the end as it is now)",
    )
    command.add_argument("--partition", type=int, metavar="N", help="this partition only")
    _add_function(command)
    _add_dry_run(command, "print what would be delivered, and deliver nothing")


def _add_invoke(commands: Commands) -> None:
    command = _add_command(commands, "invoke", "post sample records to a function, once")
    command.add_argument(
        "event_file",
        type=Path,
        metavar="EVENT_FILE",
        help='a record in JSON, {"key": …, "value": …, "headers": …}, or an array of them',
    )
    _add_trigger(command)
    _add_function(command)


def _add_trigger(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--trigger", metavar="NAME", help="which trigger of the file, if it has several"
    )


def _add_function(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--function",
        type=_parse_address,
        metavar="URL",
        help="another function than the trigger's own",
    )


def _parse_address(text: str) -> str:
    try:
        return web_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON")


def _add_dry_run(command: argparse.ArgumentParser, summary: str) -> None:
    command.add_argument("--dry-run", action="store_true", help=summary)
