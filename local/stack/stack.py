"""The whole of GoalStream on one machine."""

import errno
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from local.stack import connectivity
from local.stack.addresses import KAFKA_PORT, Addresses, choose
from local.stack.errors import StackError
from local.stack.resources import (
    BrokerMemory,
    DiskSpace,
    FullDiskErrors,
    ResourceMonitor,
    memory_of,
)
from local.stack.services import broker, functions, gateway, postgres, programs, valkey
from local.stack.services.functions import Function
from local.stack.startup import Startup
from local.stack.state import State
from local.supervisor import NotReady, Process, ProcessRegistry, Supervisor

LONGEST_LOG = 8 * 1024**2  # bytes of each log, before it begins anew
FULL = (errno.ENOSPC, errno.EDQUOT)

# What stops together, in this order, and the seconds it has for it: first the doors are closed,
# then what is on its way is brought to its end, then the services go.
STOPS = (
    ((gateway.NAME, programs.CRON), 5.0),
    ((programs.TRIGGER,), 10.0),
    (functions.NAMES, 5.0),
    ((programs.TOPICS, programs.MIGRATIONS, postgres.INITDB, gateway.CHECK), 5.0),
    ((broker.NAME, valkey.NAME, postgres.NAME), 10.0),
)


class Stack:
    """Services, functions, trigger, cron and gateway: started on entry, stopped on exit.

    A port of 0 is any free one, and a `kafka_port` of None is 9092 where that is free. A service
    that `environ` names is used where it is, instead of an embedded one. `settings` are added to
    the environment of functions and tools. `fresh` drops what an earlier stack kept in the state
    folder. `say` is told what a person should know, a line at a time.
    """

    addresses: Addresses

    def __init__(
        self,
        state: Path,
        *,
        events_port: int = 0,
        highlights_port: int = 0,
        kafka_port: int | None = 0,
        fresh: bool = False,
        settings: Mapping[str, str] | None = None,
        environ: Mapping[str, str] = os.environ,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.state = State(state)
        self._events_port = events_port
        self._highlights_port = highlights_port
        self._kafka_port = kafka_port
        self._fresh = fresh
        self._settings = settings or {}
        self._environ = environ
        self._say = say
        self._register = ProcessRegistry(self.state.register)
        self._supervisor = Supervisor(self.state.logs, self._register, say)
        self._exits = ExitStack()
        self._resources = ResourceMonitor(self._checks())

    def __enter__(self) -> Self:
        """Start everything, and return when all of it does its work.

        Raises:
            StackError: a port is taken, the state folder is in use, its disk is full, or a
                service that the environment names is not there.
            NotReady: a process did not come up.
        """
        with ExitStack() as exits:
            exits.enter_context(self.state.held())
            self._make_room()
            exits.callback(self._stop)
            exits.callback(self._resources.close)
            self._resources.start()
            exits.callback(self.state.withdraw)
            self._start()
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything, in order."""
        self._exits.close()

    @property
    def processes(self) -> Mapping[str, Process]:
        """Each process by its name: to kill, pause, stop, start or restart it."""
        return self._supervisor.processes

    @property
    def functions(self) -> Mapping[str, Function]:
        """Each function by its name."""
        return self.addresses.functions

    @property
    def events_url(self) -> str:
        """Where events are posted."""
        return self.addresses.events_url

    @property
    def highlights_url(self) -> str:
        """Where highlights are read."""
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

    def _make_room(self) -> None:
        self._register.stop_leftovers(self._say)
        if self._fresh:
            self.state.forget()
        self.addresses = choose(
            self._events_port, self._highlights_port, self._environ, kafka_port=self._kafka_port
        )
        if self._kafka_port is None and self.addresses.kafka.port not in (None, KAFKA_PORT):
            self._say(f"port {KAFKA_PORT} is taken; the broker has {self.addresses.kafka.port}")
        for service in (self.addresses.kafka, self.addresses.postgres, self.addresses.redis):
            if service.port is None:
                connectivity.check(service.variable, service.url)

    def _start(self) -> None:
        settings = {**self.addresses.settings, **self._settings}
        try:
            Startup(self._supervisor, self.addresses, self.state, settings).run()
            self.state.publish(self.addresses.environment)
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise StackError(f"the disk is full: {error.strerror} for {self.state.root}") from None
        except NotReady:
            self._resources.check()  # a disk that filled up meanwhile is why
            raise

    def _checks(self) -> tuple[Callable[[], None], ...]:
        """What is looked at from time to time while the stack runs."""
        log = self.state.logs / f"{postgres.NAME}.log"
        return (
            DiskSpace(self.state.root, self._say).check,
            FullDiskErrors("Postgres", log, self._say).check,
            BrokerMemory(self._broker_memory, self._say).check,
            lambda: self._supervisor.rotate_logs(LONGEST_LOG),
        )

    def _broker_memory(self) -> int:
        process = self.processes.get(broker.NAME)
        return memory_of(process.pid) if process else 0

    def _stop(self) -> None:
        try:
            self._stop_all()
        except KeyboardInterrupt:
            self._stop_all()
            raise

    def _stop_all(self) -> None:
        self._supervisor.close()
        for names, limit in STOPS:
            self._supervisor.stop(names, limit)
        self._register.clear()
