"""One supervised process."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from local.supervisor import child, process_tree, readiness
from local.supervisor.backoff import Backoff
from local.supervisor.command import Command, Run


class Process:
    """Runs a command in a thread of its own, and restarts it whenever it dies.

    `print_line` gets a line each time it dies, unless it is quiet; `on_start` gets the process and
    the id of each run.
    """

    def __init__(
        self,
        command: Command,
        log: Path,
        *,
        print_line: Callable[[str], None],
        on_start: "Callable[[Process, int], None]" = lambda _process, _pid: None,
        is_quiet: bool = False,
    ) -> None:
        self.command = command
        self.log = log
        self.starts = 0
        self.spawn_error: OSError | None = None  # of the last start
        self._print_line = print_line
        self._on_start = on_start
        self._is_quiet = is_quiet
        self._backoff = Backoff()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._was_ready: int | None = None  # the id of the run that was ready when its log rotated
        self._thread = threading.Thread()

    @property
    def name(self) -> str:
        """The command's name."""
        return self.command.name

    @property
    def pid(self) -> int | None:
        """The id of the running process, which leads its group; None between two runs."""
        running = self._child
        return running.pid if running and running.returncode is None else None

    def start(self) -> None:
        """Start, and from then on restart whenever it dies."""
        if self._thread.is_alive():
            return
        self._stopping.clear()
        self._child = None
        self._thread = threading.Thread(target=self._supervise, name=self.name, daemon=True)
        self._thread.start()

    def report_deaths(self) -> None:
        """Print a line at each death from now on, also if it was quiet."""
        self._is_quiet = False

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop gracefully within `timeout_s` seconds, or kill it after that."""
        self.request_stop()
        if not self.wait_stopped(timeout_s):
            self.kill()
            self._thread.join()

    def request_stop(self) -> None:
        """Send the stop signal, and do not restart it any more."""
        with self._lock:
            self._stopping.set()
            if pid := self.pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, self.command.stop_signal)
                self.resume()

    def wait_stopped(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s` seconds; return whether it ended for good."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return self.has_ended()

    def restart(self, timeout_s: float = 60.0) -> None:
        """Stop, start, and wait until it is ready.

        Raises:
            NotReady: it was not within `timeout_s` seconds.
        """
        self.stop()
        self.start()
        self.wait_ready(timeout_s)

    def kill(self) -> None:
        """Kill the whole group, as a crash would; it is restarted unless it was stopped."""
        if pid := self.pid:
            process_tree.kill_group(pid)

    def kill_workers(self) -> None:
        """Kill the descendants of the process, and not the process itself."""
        if pid := self.pid:
            process_tree.send(process_tree.descendants(pid), signal.SIGKILL)

    def pause(self) -> None:
        """Freeze it and its descendants: it keeps its connections open and does not answer."""
        if pid := self.pid:
            process_tree.send([pid, *process_tree.descendants(pid)], signal.SIGSTOP)

    def resume(self) -> None:
        """Continue after `pause`."""
        if pid := self.pid:
            process_tree.send([pid, *process_tree.descendants(pid)], signal.SIGCONT)

    def is_ready(self, until: Callable[[Run], bool] | None = None) -> bool:
        """Return whether it is ready, or fulfils `until`, or has succeeded if it runs once."""
        if self.command.once:
            return self._child is not None and self._child.returncode == 0
        pid = self.pid
        ready = until or self.command.ready
        return pid is not None and ready(
            Run(pid, self.log, self._log_start, was_ready=pid == self._was_ready)
        )

    def rotate_log(self, max_bytes: int) -> None:
        """Rotate a log of more than `max_bytes`; see `child.rotate`.

        Raises:
            OSError: its content cannot be kept, as on a full disk.
        """
        if self.log.stat().st_size <= max_bytes:
            return
        is_ready = self.is_ready()
        with self._lock:
            child.rotate(self.log)
            self._log_start = 0
            self._was_ready = self.pid if is_ready else None

    def has_ended(self) -> bool:
        """Return whether it does not run and will not be restarted."""
        return not self._thread.is_alive()

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Return as soon as it is ready.

        Raises:
            NotReady: it was not within `timeout_s` seconds.
        """
        readiness.wait_ready(self, timeout_s)

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            ending = self._run()
            if self.command.once or self._stopping.is_set():
                return
            delay = self._backoff.delay(time.monotonic() - began)
            if not self._is_quiet:
                self._print_line(f"{self.name} {ending}; starting it again in {delay:.1f} s")
            self._stopping.wait(delay)

    def _run(self) -> str:
        """Run the command once, until its whole group has ended; return how it ended."""
        try:
            process, self.spawn_error = self._spawn(), None
        except OSError as error:
            self.spawn_error = error
            return f"could not be started ({error})"
        if process is None:
            return "was stopped"
        status = process.wait()
        # A worker that outlives its parent would keep the port.
        process_tree.kill_group(process.pid)
        return f"died of {signal.Signals(-status).name}" if status < 0 else f"ended ({status})"

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            self.starts += 1
            self.command.prepare()
            self._log_start = self.log.stat().st_size
            self._child = child.spawn(self.command, self.log)
            self._on_start(self, self._child.pid)
            return self._child
