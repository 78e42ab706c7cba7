"""`python -m local.stack`: GoalStream on this machine, in the foreground, until Ctrl-C."""

import os
import sys
import threading
import time
from pathlib import Path

from local.process.console import stdout_console
from local.process.shutdown import interrupt_on_signals
from local.stack import StackError
from local.stack.addresses import Addresses, Ports
from local.stack.options import parser
from local.stack.stack import Stack, running_stack
from local.supervisor import NotReady


def main() -> int:
    """Run a stack; return the exit status."""
    options = parser(
        "python -m local.stack",
        "Runs GoalStream on this machine, in the foreground, until Ctrl-C.",
        os.environ,
    ).parse_args()
    ports = Ports(options.events_port, options.highlights_port, options.kafka_port)
    print_line = stdout_console().print_line
    try:
        with interrupt_on_signals():
            began = time.monotonic()
            print_line("GoalStream starts …")
            with running_stack(options.state, ports=ports, print_line=print_line) as stack:
                print_line(_welcome(stack, time.monotonic() - began))
                threading.Event().wait()
    except KeyboardInterrupt:
        print_line("stopped")
    except (StackError, NotReady) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _welcome(stack: Stack, seconds: float) -> str:
    return f"""\
GoalStream is up after {seconds:.1f} s; Ctrl-C stops it.

  ticker      {stack.highlights_url}/                goals as they come; leave it open
  post        {stack.events_url}/                a form that posts one
  events      {stack.events_url}/events          API: {stack.events_url}/swagger
  highlights  {stack.highlights_url}/highlights      API: {stack.highlights_url}/swagger
  broker      {stack.kafka}
  logs        {_relative(stack.state.logs)}
  state       {_relative(stack.state.root)} ({_persistence(stack.addresses)})
"""


def _persistence(addresses: Addresses) -> str:
    """Return which embedded services keep their data over a restart."""
    services = {
        "Postgres keeps its data": addresses.postgres,
        "the broker keeps nothing": addresses.kafka,
        "Valkey keeps nothing": addresses.redis,
    }
    embedded = [text for text, service in services.items() if service.port]
    return ", ".join(embedded) or "all services are elsewhere"


def _relative(path: Path) -> Path:
    """Return a path relative to the current folder, if it is below that."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    sys.exit(main())
