"""One supervised process."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from local.supervisor import log_file, process_tree, readiness
from local.supervisor.backoff import Backoff
from local.supervisor.child import spawn
from local.supervisor.command import Command, Run


class Process:
    """Runs a command in a thread of its own, and starts it again whenever it dies.

    `say` is told in a line when that happens; `started` gets the process id of each run.
    """

    def __init__(
        self,
        command: Command,
        log: Path,
        *,
        say: Callable[[str], None],
        started: "Callable[[Process, int], None]" = lambda _process, _pid: None,
    ) -> None:
        self.command = command
        self.log = log
        self.starts = 0
        self.is_quiet = False
        self.spawn_error: OSError | None = None  # of the last start
        self._say = say
        self._started = started
        self._backoff = Backoff()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._was_ready: int | None = None  # the process whose log was emptied when it was ready
        self._thread = threading.Thread()

    @property
    def name(self) -> str:
        """The command's name."""
        return self.command.name

    @property
    def pid(self) -> int | None:
        """The id of the running process, which leads its group; None between two runs."""
        child = self._child
        return child.pid if child and child.returncode is None else None

    def start(self) -> None:
        """Start, and from then on start again whenever it dies."""
        if self._thread.is_alive():
            return
        self._stopping.clear()
        self._child = None
        self._thread = threading.Thread(target=self._supervise, name=self.name, daemon=True)
        self._thread.start()

    def stop(self, limit: float = 10.0) -> None:
        """Stop in good order within `limit` seconds, by force after that."""
        self.ask_to_stop()
        if not self.wait_stopped(limit):
            self.kill()
            self._thread.join()

    def ask_to_stop(self) -> None:
        """Send the stop signal, and let it not be started again."""
        with self._lock:
            self._stopping.set()
            if pid := self.pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, self.command.stop_signal)
                self.resume()

    def wait_stopped(self, limit: float) -> bool:
        """Whether it ended for good within `limit` seconds."""
        if self._thread.is_alive():
            self._thread.join(limit)
        return self.is_over()

    def restart(self, limit: float = 60.0) -> None:
        """Stop, start, and wait until it is ready.

        Raises:
            NotReady: it was not within `limit` seconds.
        """
        self.stop()
        self.start()
        self.wait_ready(limit)

    def kill(self) -> None:
        """Kill the whole group, as a crash would; it is started again unless it is stopped."""
        if pid := self.pid:
            process_tree.kill_group(pid)

    def kill_workers(self) -> None:
        """Kill what the process forked, and not the process itself."""
        if pid := self.pid:
            process_tree.send(process_tree.descendants(pid), signal.SIGKILL)

    def pause(self) -> None:
        """Freeze it with all that it forked: it holds its connections and does not answer."""
        if pid := self.pid:
            process_tree.send([pid, *process_tree.descendants(pid)], signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        if pid := self.pid:
            process_tree.send([pid, *process_tree.descendants(pid)], signal.SIGCONT)

    def is_ready(self, until: Callable[[Run], bool] | None = None) -> bool:
        """Whether it does its work, or has come as far as `until`, or has ended if it runs once."""
        if self.command.once:
            return self._child is not None and self._child.returncode == 0
        pid = self.pid
        ready = until or self.command.ready
        return pid is not None and ready(
            Run(pid, self.log, self._log_start, was_ready=pid == self._was_ready)
        )

    def rotate_log(self, longest: int) -> None:
        """Empty a log of more than `longest` bytes, once what it holds is kept beside it.

        Raises:
            OSError: it cannot be kept, as on a full disk.
        """
        if self.log.stat().st_size <= longest:
            return
        is_ready = self.is_ready()
        with self._lock:
            log_file.rotate(self.log)
            self._log_start = 0
            self._was_ready = self.pid if is_ready else None

    def is_over(self) -> bool:
        """Whether it runs no more and will not be started again."""
        return not self._thread.is_alive()

    def wait_ready(self, limit: float = 60.0) -> None:
        """Return as soon as it is ready.

        Raises:
            NotReady: it was not within `limit` seconds.
        """
        readiness.wait_ready(self, limit)

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            ending = self._run()
            if self.command.once or self._stopping.is_set():
                return
            delay = self._backoff.delay(time.monotonic() - began)
            if not self.is_quiet:
                self._say(f"{self.name} {ending}; starting it again in {delay:.1f} s")
            self._stopping.wait(delay)

    def _run(self) -> str:
        """Run the command once, until its whole group has ended; how it ended."""
        try:
            child, self.spawn_error = self._spawn(), None
        except OSError as error:
            self.spawn_error = error
            return f"could not be started ({error})"
        if child is None:
            return "was stopped"
        status = child.wait()
        # A worker that outlives its master would keep the port.
        process_tree.kill_group(child.pid)
        return f"died of {signal.Signals(-status).name}" if status < 0 else f"ended ({status})"

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            self.starts += 1
            self.command.prepare()
            self._log_start = self.log.stat().st_size
            self._child = spawn(self.command, self.log)
            self._started(self, self._child.pid)
            return self._child
