"""The options `--host` and `--port` of a tool that can be watched."""

import argparse
from contextlib import AbstractContextManager, nullcontext

from local.process.probes import Probes, Sources

HIGHEST_PORT = 65535


class CannotListen(Exception):
    """The probes' port cannot be listened on; the message says why, in one line."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Let a command be told where to serve its probes."""
    parser.add_argument(
        "--port",
        type=_port,
        metavar="N",
        help="serve /health, /ready, /metrics and, of a trigger, /status on this port "
        "(default: nowhere; 0: a free one)",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to serve them on (default: 127.0.0.1)"
    )


def served(options: argparse.Namespace, sources: Sources) -> AbstractContextManager[object]:
    """Serve the probes where the options say, if they say so; raises CannotListen."""
    if options.port is None:
        return nullcontext()
    try:
        return Probes(sources, options.host, options.port)
    except OSError as error:
        where = f"--host {options.host} --port {options.port}"
        raise CannotListen(f"{where}: {error.strerror}") from error


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return number
