"""Command-line arguments that several tools have, and the types of their values."""

import argparse
import math

from local.process import urls

PORTS = 2**16


def port(text: str) -> int:
    """Parse a port; 0 means any free one."""
    if not (text.isdecimal() and int(text) < PORTS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)


def seconds(text: str) -> float:
    """Parse a duration of 0 or more seconds; "inf" has no end."""
    return at_least_zero(text, "a number of seconds, 0 or more")


def positive_seconds(text: str) -> float:
    """Parse a finite duration of more than 0 seconds."""
    value = at_least_zero(text, expected := "a number of seconds above 0")
    if value in {0, math.inf}:
        raise _is_not(text, expected)
    return value


def positive_integer(text: str) -> int:
    """Parse an integer of 1 or more."""
    if not (text.isdecimal() and int(text)):
        raise _is_not(text, "a number, 1 or more")
    return int(text)


def at_least_zero(text: str, expected: str) -> float:
    """Parse a number of 0 or more; `expected` completes the error "'x' is not …"."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value >= 0:
        raise _is_not(text, expected)
    return value


def http_url(text: str) -> str:
    """Parse an http:// or https:// URL."""
    try:
        return urls.http_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_probe_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--port` (None by default) and `--host`, on which a tool serves its probes."""
    parser.add_argument(
        "--port",
        type=port,
        metavar="N",
        help="serve /health, /ready, /metrics and, of a trigger, /status on this port "
        "(default: nowhere; 0: a free one)",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to serve them on (default: 127.0.0.1)"
    )


def _is_not(text: str, expected: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"{text!r} is not {expected}")
