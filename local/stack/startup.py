"""The order in which a stack starts: all at once, but for what depends on something else.

The gateway comes last: its ports open when all that is behind them is ready.
"""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed

from local.stack.addresses import Addresses
from local.stack.services import broker, functions, gateway, postgres, programs, valkey
from local.stack.state import State
from local.supervisor import Supervisor

TIMEOUT_S = 60.0  # of each process


class Startup:
    """Starts all processes of a stack, and waits until they are ready.

    `settings` is the environment of functions and tools; the gateway takes its time-outs from it.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        addresses: Addresses,
        state: State,
        settings: Mapping[str, str],
    ) -> None:
        self._supervisor = supervisor
        self._addresses = addresses
        self._state = state
        self._settings = settings
        # The functions wait for the trigger: its groups take seconds to form, however busy the
        # processors are, and until then the functions would only slow down its start.
        self._trigger_has_started = threading.Event()
        self._gateway = gateway.server(
            addresses.events_port,
            addresses.highlights_port,
            addresses.functions,
            state.caddy,
            settings,
        )

    def run(self) -> None:
        """Start all, and return when all is ready.

        Raises:
            NotReady: a process did not become ready; what was started is still there.
        """
        steps = (self._kafka, self._functions, self._database, self._cache, self._check_gateway)
        with ThreadPoolExecutor(len(steps)) as pool:
            running = [pool.submit(step) for step in steps]
            try:
                for step in as_completed(running):
                    step.result()
            except BaseException:
                self._supervisor.close()
                raise
        self._supervisor.run(self._gateway, programs.cron(self._settings), timeout_s=TIMEOUT_S)

    def _kafka(self) -> None:
        try:
            if port := self._addresses.kafka.port:
                self._supervisor.run(broker.server(port), timeout_s=TIMEOUT_S)
            self._supervisor.run(programs.topics(self._settings), timeout_s=TIMEOUT_S)
            trigger = self._supervisor.start(programs.trigger(self._settings))
            self._supervisor.wait(trigger, TIMEOUT_S, until=programs.has_started)
        finally:
            self._trigger_has_started.set()
        self._supervisor.wait(trigger, TIMEOUT_S)

    def _database(self) -> None:
        if port := self._addresses.postgres.port:
            self._postgres(port)
        self._supervisor.run(
            programs.migrations({**self._settings, **self._addresses.migration_settings}),
            timeout_s=TIMEOUT_S,
        )

    def _postgres(self, port: int) -> None:
        data = self._state.postgres
        if not data.exists():
            with postgres.new_data(data) as initdb:
                self._supervisor.run(initdb, timeout_s=TIMEOUT_S)
        self._supervisor.run(postgres.server(data, port), timeout_s=TIMEOUT_S)

    def _cache(self) -> None:
        if port := self._addresses.redis.port:
            self._supervisor.run(valkey.server(port, self._state.run), timeout_s=TIMEOUT_S)

    def _functions(self) -> None:
        self._trigger_has_started.wait()
        commands = [
            functions.server(
                function,
                {**self._settings, **self._addresses.function_settings(function.name)},
                self._state.run,
            )
            for function in self._addresses.functions.values()
        ]
        self._supervisor.run(*commands, timeout_s=TIMEOUT_S)

    def _check_gateway(self) -> None:
        self._supervisor.run(gateway.check(self._gateway), timeout_s=TIMEOUT_S)
