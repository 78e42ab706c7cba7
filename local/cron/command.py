"""Cron's command: `python -m local.cron FILE`."""

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from functions.shared.observability.logs import configure_logging
from local import cron
from local.cron import crontab
from local.cron.run import run
from local.process.arguments import add_probe_arguments, positive_seconds
from local.process.probes import CannotListen


def main(stopping: threading.Event, arguments: Sequence[str] | None = None) -> int:
    """Run the command until `stopping` is set; return its exit status, 2 if it cannot start."""
    options = _parser().parse_args(arguments)
    try:
        jobs = crontab.parse(options.file.read_text(encoding="utf-8"), os.environ)
    except (crontab.CrontabError, OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        sys.stderr.write(f"{options.file}: {reason}\n")
        return 2
    configure_logging("cron")
    try:
        run(jobs, CollectorRegistry(), options, stopping)
    except CannotListen as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    description = f"{cron.__doc__}\n{(crontab.__doc__ or '').partition(chr(10))[2]}"
    parser = argparse.ArgumentParser(prog="python -m local.cron", description=description)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", type=Path, metavar="FILE", help="the crontab")
    parser.add_argument(
        "--timeout",
        type=positive_seconds,
        default=60,
        metavar="S",
        help="seconds for a call (default: 60)",
    )
    add_probe_arguments(parser)
    return parser
