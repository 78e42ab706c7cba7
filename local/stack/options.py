"""The command-line options of a stack, which environment variables may set too."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from local.process.arguments import port
from local.stack.connectivity import KAFKA_PORT

STATE = ".goalstream"
EPILOG = (
    "A real service is used instead of the embedded one where its variable is set:"
    " KAFKA_BOOTSTRAP_SERVERS, DATABASE_URL, REDIS_URL."
)


def parser(prog: str, description: str, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return the parser of `--state` and of the ports; `kafka_port` is None if it is not given."""
    made = argparse.ArgumentParser(prog=prog, description=description, epilog=EPILOG)
    options: tuple[tuple[str, Callable[[str], object], str | None, str], ...] = (
        ("state", Path, STATE, "the folder of data and logs"),
        ("events-port", port, "5001", "where events are posted; 0 is any free port"),
        ("highlights-port", port, "5002", "where highlights are read; 0 is any free port"),
        ("kafka-port", port, None, "where the embedded broker listens; 0 is any free port"),
    )
    for name, parse, default, purpose in options:
        variable = f"GOALSTREAM_{name.replace('-', '_').upper()}"
        made.add_argument(
            f"--{name}",
            metavar=name.rpartition("-")[2].upper(),
            type=parse,
            default=environ.get(variable) or default,
            help=f"{purpose} ({variable}, default: {default or f'{KAFKA_PORT}, if free'})",
        )
    return made
