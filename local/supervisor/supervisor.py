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

RENEWAL_LIMIT_S = 60.0


class Supervisor:
    """Starts processes, each with its log, and stops them together."""

    def __init__(self, logs: Path, register: ProcessRegistry, say: Callable[[str], None]) -> None:
        self.processes: dict[str, Process] = {}
        self._logs = logs
        self._register = register
        self._say = say
        self._lock = threading.Lock()
        self._closed = False

    def start(self, command: Command, *, is_quiet: bool = False) -> Process:
        """Start a process, which tells when it ends unless it is quiet; its log begins anew.

        Raises:
            NotReady: the supervisor is closed.
        """
        marked = dataclasses.replace(
            command, environment={**command.environment, **self._register.mark}
        )
        log = self._logs / f"{command.name}.log"
        log.write_bytes(b"")
        process = Process(marked, log, say=self._say, started=self._note)
        process.is_quiet = is_quiet
        with self._lock:
            if self._closed:
                raise NotReady(f"{command.name} is not started: all is being stopped")
            self.processes[command.name] = process
            process.start()
        return process

    def run(self, *commands: Command, limit: float) -> None:
        """Start processes and wait until all are ready; what ends before that is told by NotReady.

        Raises:
            NotReady: one was not within `limit` seconds, or the supervisor was closed meanwhile.
        """
        for process in [self.start(command, is_quiet=True) for command in commands]:
            self.wait(process, limit)
            process.is_quiet = False

    def wait(
        self, process: Process, limit: float, until: Callable[[Run], bool] | None = None
    ) -> None:
        """Wait until a process is ready, or has come as far as `until`.

        Raises:
            NotReady: it was not within `limit` seconds, or the supervisor was closed meanwhile.
        """
        wait_ready(process, limit, until=until, cancelled=lambda: self._closed)

    def close(self) -> None:
        """Start nothing more, and wait for nothing more to be ready."""
        with self._lock:
            self._closed = True

    def stop(self, names: Iterable[str], limit: float) -> None:
        """Stop some together, within `limit` seconds in good order and by force after that."""
        processes = [self.processes[name] for name in names if name in self.processes]
        for process in processes:
            process.ask_to_stop()
        deadline = time.monotonic() + limit
        for process in processes:
            process.stop(max(0.0, deadline - time.monotonic()))

    def rotate_logs(self, longest: int) -> None:
        """Let no log grow far beyond `longest` bytes; see `Process.rotate_log`.

        Raises:
            OSError: the disk is full.
        """
        for process in list(self.processes.values()):
            process.rotate_log(longest)

    def _note(self, process: Process, pid: int) -> None:
        try:
            self._register.note(process.name, pid)
        except OSError as error:  # it runs all the same, and is stopped with the stack
            self._say(f"{process.name} is not noted in the state folder: {error.strerror}")
        if process.command.renews and process.starts > 1:
            threading.Thread(target=self._renew, args=(process,), daemon=True).start()

    def _renew(self, lost: Process) -> None:
        with suppress(NotReady):
            self.wait(lost, RENEWAL_LIMIT_S)
            renews = [self.processes.get(name) for name in lost.command.renews]
            for process in [each for each in renews if each]:  # the others are still to start
                self._say(f"{process.name} starts anew: it lost something with {lost.name}")
                process.stop()
                with self._lock:
                    if self._closed:
                        return
                    process.start()
                self.wait(process, RENEWAL_LIMIT_S)
