"""The whole of GoalStream on one machine."""

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from local.stack import StackError
from local.stack.addresses import FREE_PORTS, Addresses, Ports, choose
from local.stack.connectivity import KAFKA_PORT, require_service
from local.stack.resources import (
    BrokerMemory,
    DiskSpace,
    FullDiskErrors,
    PrintLine,
    ResourceMonitor,
    memory_of,
)
from local.stack.services import broker, functions, gateway, postgres, programs, valkey
from local.stack.services.functions import Function
from local.stack.startup import Startup
from local.stack.state import State
from local.supervisor import NotReady, Process, ProcessRegistry, Supervisor

MAX_LOG_BYTES = 8 * 1024**2  # of each log, before it is rotated
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

# The processes that stop together, in this order, and their time-out in seconds: first what lets
# requests in, then what is processing them, then the services.
STOP_ORDER = (
    ((gateway.NAME, programs.CRON), 5.0),
    ((programs.TRIGGER,), 10.0),
    (functions.NAMES, 5.0),
    ((programs.TOPICS, programs.MIGRATIONS, postgres.INITDB, gateway.CHECK), 5.0),
    ((broker.NAME, valkey.NAME, postgres.NAME), 10.0),
)


class Stack:
    """A running stack: its addresses, its state folder, and its processes by name.

    A process can be killed, paused, stopped, started and restarted.
    """

    def __init__(
        self, addresses: Addresses, state: State, processes: Mapping[str, Process]
    ) -> None:
        self.addresses = addresses
        self.state = state
        self.processes = processes

    @property
    def functions(self) -> Mapping[str, Function]:
        """Each function by its name."""
        return self.addresses.functions

    @property
    def events_url(self) -> str:
        """The base URL of `/events`."""
        return self.addresses.events_url

    @property
    def highlights_url(self) -> str:
        """The base URL of `/highlights`."""
        return self.addresses.highlights_url

    @property
    def kafka(self) -> str:
        """The bootstrap servers of the broker."""
        return self.addresses.kafka.url

    @property
    def database_url(self) -> str:
        """The URL of Postgres."""
        return self.addresses.postgres.url

    @property
    def redis_url(self) -> str:
        """The URL of Valkey."""
        return self.addresses.redis.url


@contextmanager
def running_stack(
    folder: Path,
    *,
    ports: Ports = FREE_PORTS,
    fresh: bool = False,
    settings: Mapping[str, str] = MappingProxyType({}),
    environ: Mapping[str, str] = os.environ,
    print_line: PrintLine = lambda _: None,
) -> Iterator[Stack]:
    """Start services, functions, trigger, cron and gateway; stop them at the end of the context.

    `folder` is where a stack keeps its data and logs; `fresh` deletes the data of an earlier one.
    A service that `environ` names is used where it is, instead of an embedded one. `settings` are
    added to the environment of functions and tools. `print_line` gets the lines that a person
    should read.

    Raises:
        StackError: a port is taken, the folder is in use, its disk is full, or a service that the
            environment names cannot be reached.
        NotReady: a process did not become ready.
    """
    state = State(folder)
    registry = ProcessRegistry(state.registry)
    supervisor = Supervisor(state.logs, registry, print_line)
    with state.lock():
        registry.stop_leftovers(print_line)
        if fresh:
            state.delete_data()
        addresses = _choose_addresses(ports, environ, print_line)
        monitor = ResourceMonitor(_checks(state, supervisor, print_line))
        with _stopped_at_exit(supervisor, registry), monitor:
            try:
                startup = Startup(supervisor, addresses, state, {**addresses.settings, **settings})
                _start(startup, addresses, state, monitor)
                yield Stack(addresses, state, supervisor.processes)
            finally:
                state.remove_environment()


def _choose_addresses(ports: Ports, environ: Mapping[str, str], print_line: PrintLine) -> Addresses:
    addresses = choose(ports, environ)
    if ports.kafka is None and addresses.kafka.port not in (None, KAFKA_PORT):
        print_line(f"port {KAFKA_PORT} is taken; the broker has {addresses.kafka.port}")
    for service in addresses.services:
        if service.port is None:
            require_service(service.variable, service.url)
    return addresses


def _checks(
    state: State, supervisor: Supervisor, print_line: PrintLine
) -> tuple[Callable[[], None], ...]:
    """Return what is checked from time to time while the stack runs."""

    def broker_memory() -> int:
        process = supervisor.processes.get(broker.NAME)
        return memory_of(process.pid) if process else 0

    return (
        DiskSpace(state.root, print_line).check,
        FullDiskErrors("Postgres", state.logs / f"{postgres.NAME}.log", print_line).check,
        BrokerMemory(broker_memory, print_line).check,
        lambda: supervisor.rotate_logs(MAX_LOG_BYTES),
    )


def _start(startup: Startup, addresses: Addresses, state: State, monitor: ResourceMonitor) -> None:
    try:
        startup.run()
        state.write_environment(addresses.environment)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise StackError(f"the disk is full: {error.strerror} for {state.root}") from None
    except NotReady:
        monitor.check()  # so that a disk that has filled up meanwhile is reported as the reason
        raise


@contextmanager
def _stopped_at_exit(supervisor: Supervisor, registry: ProcessRegistry) -> Iterator[None]:
    """Stop all processes at the end of the context, even if Ctrl-C interrupts that."""
    try:
        yield
    finally:
        try:
            _stop(supervisor, registry)
        except KeyboardInterrupt:
            _stop(supervisor, registry)
            raise


def _stop(supervisor: Supervisor, registry: ProcessRegistry) -> None:
    supervisor.close()
    for names, timeout_s in STOP_ORDER:
        supervisor.stop(names, timeout_s)
    registry.clear()
