"""What a person can choose about a stack, on the command line or in the environment."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from local.stack.addresses import KAFKA_PORT

STATE = ".goalstream"
EPILOG = (
    "A real service is used instead of the embedded one where its variable is set:"
    " KAFKA_BOOTSTRAP_SERVERS, DATABASE_URL, REDIS_URL."
)


def parser(prog: str, description: str, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """The parser of `--state` and of the ports; a `kafka_port` of None is 9092 where it is free."""
    made = argparse.ArgumentParser(prog=prog, description=description, epilog=EPILOG)
    options: tuple[tuple[str, Callable[[str], object], str | None, str], ...] = (
        ("state", Path, STATE, "the folder of data and logs"),
        ("events-port", _port, "5001", "where events are posted; 0 is any free port"),
        ("highlights-port", _port, "5002", "where highlights are read; 0 is any free port"),
        ("kafka-port", _port, None, "where the embedded broker listens; 0 is any free port"),
    )
    for name, kind, default, purpose in options:
        variable = f"GOALSTREAM_{name.replace('-', '_').upper()}"
        made.add_argument(
            f"--{name}",
            metavar=name.rpartition("-")[2].upper(),
            type=kind,
            default=environ.get(variable) or default,
            help=f"{purpose} ({variable}, default: {default or f'{KAFKA_PORT}, if free'})",
        )
    return made


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)
