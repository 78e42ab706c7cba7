"""Servers that a benchmark starts for itself, in a folder of the stack."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from local.stack.ports import free_port
from local.stack.services import functions
from local.stack.services.functions import Function
from local.stack.stack import Stack
from local.supervisor import Command, Process
from tests.benchmarks.process_tree import cpu_s


class Server(NamedTuple):
    """A server's address and its process."""

    url: str
    process: Process

    def load(self, seconds: float) -> float:
        """Return the part of a processor that it uses during so many seconds."""
        before, began = cpu_s(self.process), time.perf_counter()
        time.sleep(seconds)
        return (cpu_s(self.process) - before) / (time.perf_counter() - began)


@contextmanager
def function(
    stack: Stack, name: str, settings: Mapping[str, str], ready_at: str = "/ready"
) -> Iterator[Server]:
    """Run one more process of a function, with the stack's services and these settings."""
    hosted = Function(name, free_port())
    folder = stack.state.root / f"{name}-{hosted.port}"
    folder.mkdir()
    environment = {**stack.addresses.settings, "LOG_LEVEL": "WARNING", **settings}
    with running(stack, functions.server(hosted, environment, folder, ready_at)) as process:
        yield Server(hosted.url, process)


@contextmanager
def running(stack: Stack, command: Command) -> Iterator[Process]:
    """Run a command during the block, from when it is ready."""
    log = stack.state.root / f"{command.name}-{time.time_ns()}.log"
    log.touch()
    process = Process(command, log, print_line=lambda _: None)
    process.start()
    try:
        process.wait_ready()
        yield process
    finally:
        process.stop()
