"""Cron's command: `python -m local.cron FILE`."""

import argparse
import math
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
from local.process import probe_options


def main(stopping: threading.Event, arguments: Sequence[str] | None = None) -> int:
    """Run the command until `stopping`; returns its exit status: 2 when it cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        lines = crontab.parse(options.file.read_text(encoding="utf-8"), os.environ)
    except (crontab.CrontabError, OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        sys.stderr.write(f"{options.file}: {reason}\n")
        return 2
    configure_logging("cron")
    try:
        run(lines, CollectorRegistry(), options, stopping)
    except probe_options.CannotListen as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _parser() -> argparse.ArgumentParser:
    about = f"{cron.__doc__}\n{(crontab.__doc__ or '').partition(chr(10))[2]}"
    parser = argparse.ArgumentParser(prog="python -m local.cron", description=about)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", type=Path, metavar="FILE", help="the crontab")
    parser.add_argument(
        "--timeout", type=_seconds, default=30, metavar="S", help="seconds for a call (default: 30)"
    )
    probe_options.add_to(parser)
    return parser
