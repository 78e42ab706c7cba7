"""Servers that a benchmark starts for itself, in a folder of the stack."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from local.stack.ports import free_port
from local.stack.services import functions
from local.stack.services.functions import Function
from local.stack.stack import Stack
from local.supervisor import Command, Process
from tests.benchmarks.process_tree import cpu_s

NONE: Mapping[str, str] = MappingProxyType({})


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
    stack: Stack, name: str, settings: Mapping[str, str] = NONE, ready_at: str = "/ready"
) -> Iterator[Server]:
    """Run one more process of a function, with these settings instead of the stack's."""
    hosted = Function(name, free_port())
    folder = stack.state.root / f"{name}-{hosted.port}"
    folder.mkdir()
    addresses = stack.addresses
    own = {**addresses.settings, **addresses.function_settings(name), "LOG_LEVEL": "ERROR"}
    command = functions.server(hosted, {**own, **settings}, folder, ready_at)
    with running(folder, command) as process:
        yield Server(hosted.url, process)


@contextmanager
def running(folder: Path, command: Command) -> Iterator[Process]:
    """Run a command during the block, from when it is ready; `folder` gets its log."""
    log = folder / f"{command.name}-{time.time_ns()}.log"
    log.touch()
    process = Process(command, log, print_line=lambda _: None)
    process.start()
    try:
        process.wait_ready()
        yield process
    finally:
        process.stop()
