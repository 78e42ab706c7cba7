"""`python -m local.stack`: GoalStream on this machine, in the foreground, until Ctrl-C."""

import os
import sys
import threading
import time
from pathlib import Path

from local.process.console import stdout_console
from local.stack.addresses import Addresses
from local.stack.errors import StackError
from local.stack.interrupt import interruptible
from local.stack.options import parser
from local.stack.stack import Stack
from local.supervisor import NotReady


def main() -> int:
    """Run a stack; returns the exit status."""
    arguments = parser(
        "python -m local.stack",
        "Runs GoalStream on this machine, in the foreground, until Ctrl-C.",
        os.environ,
    ).parse_args()
    say = stdout_console().print_line
    stack = Stack(
        arguments.state,
        events_port=arguments.events_port,
        highlights_port=arguments.highlights_port,
        kafka_port=arguments.kafka_port,
        say=say,
    )
    try:
        with interruptible():
            began = time.monotonic()
            say("GoalStream starts …")
            with stack:
                say(_welcome(stack, time.monotonic() - began))
                threading.Event().wait()
    except KeyboardInterrupt:
        say("stopped")
    except (StackError, NotReady) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _welcome(stack: Stack, seconds: float) -> str:
    return f"""\
GoalStream is up after {seconds:.1f} s; Ctrl-C stops it.

  events      {stack.events_url}/events          try it: {stack.events_url}/swagger
  highlights  {stack.highlights_url}/highlights      try it: {stack.highlights_url}/swagger
  broker      {stack.kafka}
  logs        {_near(stack.state.logs)}
  state       {_near(stack.state.root)} ({_keeping(stack.addresses)})
"""


def _keeping(addresses: Addresses) -> str:
    """What survives a restart, of what is embedded."""
    services = {
        "Postgres keeps its data": addresses.postgres,
        "the broker keeps nothing": addresses.kafka,
        "Valkey keeps nothing": addresses.redis,
    }
    embedded = [output for output, service in services.items() if service.port]
    return ", ".join(embedded) or "all services are elsewhere"


def _near(path: Path) -> Path:
    """A path as a person here would type it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    sys.exit(main())
