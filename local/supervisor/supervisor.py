"""All processes of a stack."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from local.supervisor.command import Command, Run
from local.supervisor.process import Process
from local.supervisor.process_registry import ProcessRegistry
from local.supervisor.readiness import NotReady, wait_ready

RESTART_TIMEOUT_S = 60.0


class Supervisor:
    """Starts processes, each with its log in a folder, and stops them together."""

    def __init__(
        self, logs: Path, registry: ProcessRegistry, print_line: Callable[[str], None]
    ) -> None:
        self.processes: dict[str, Process] = {}
        self._logs = logs
        self._registry = registry
        self._print_line = print_line
        self._lock = threading.Lock()
        self._closed = False

    def start(self, command: Command, *, is_quiet: bool = False) -> Process:
        """Start a process with an empty log; a line is printed at each death unless it is quiet.

        Raises:
            NotReady: the supervisor is closed.
        """
        environment = {**command.environment, **self._registry.environment}
        log = self._logs / f"{command.name}.log"
        log.write_bytes(b"")
        process = Process(
            dataclasses.replace(command, environment=environment),
            log,
            print_line=self._print_line,
            on_start=self._on_start,
            is_quiet=is_quiet,
        )
        with self._lock:
            if self._closed:
                raise NotReady(f"{command.name} is not started: all is being stopped")
            self.processes[command.name] = process
            process.start()
        return process

    def run(self, *commands: Command, timeout_s: float) -> None:
        """Start processes and wait until all are ready; until then NotReady reports a death.

        Raises:
            NotReady: one was not within `timeout_s` seconds, or the supervisor is closed.
        """
        for process in [self.start(command, is_quiet=True) for command in commands]:
            self.wait(process, timeout_s)
            process.report_deaths()

    def wait(
        self, process: Process, timeout_s: float, until: Callable[[Run], bool] | None = None
    ) -> None:
        """Wait until a process is ready, or fulfils `until`.

        Raises:
            NotReady: it was not within `timeout_s` seconds, or the supervisor was closed meanwhile.
        """
        wait_ready(process, timeout_s, until=until, cancelled=lambda: self._closed)

    def close(self) -> None:
        """Start no more processes, and let all waiting for readiness fail."""
        with self._lock:
            self._closed = True

    def stop(self, names: Iterable[str], timeout_s: float) -> None:
        """Stop processes together: gracefully within `timeout_s` seconds, killed after that."""
        processes = [self.processes[name] for name in names if name in self.processes]
        for process in processes:
            process.request_stop()
        deadline = time.monotonic() + timeout_s
        for process in processes:
            process.stop(max(0.0, deadline - time.monotonic()))

    def rotate_logs(self, max_bytes: int) -> None:
        """Rotate each log of more than `max_bytes`.

        Raises:
            OSError: the disk is full.
        """
        for process in list(self.processes.values()):
            process.rotate_log(max_bytes)

    def _on_start(self, process: Process, pid: int) -> None:
        try:
            self._registry.add(process.name, pid)
        except OSError as error:  # it runs all the same, and is stopped with the stack
            self._print_line(
                f"{process.name} is not recorded in the state folder: {error.strerror}"
            )
        if process.command.restarts and process.starts > 1:
            threading.Thread(target=self._restart_dependents, args=(process,), daemon=True).start()

    def _restart_dependents(self, restarted: Process) -> None:
        with suppress(NotReady):
            self.wait(restarted, RESTART_TIMEOUT_S)
            dependents = [self.processes.get(name) for name in restarted.command.restarts]
            for process in [each for each in dependents if each]:  # others are not started yet
                self._print_line(f"{process.name} restarts: {restarted.name} has lost its state")
                process.stop()
                with self._lock:
                    if self._closed:
                        return
                    process.start()
                self.wait(process, RESTART_TIMEOUT_S)
