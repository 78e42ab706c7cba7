"""The processes that a stack has started, on disk: the next stack ends those that were left."""

import json
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from local.supervisor import process_tree

STOP_TIMEOUT_S = 5.0
CLOCK_TOLERANCE_S = 2.0
REGISTRY_VARIABLE = "GOALSTREAM_REGISTER"


class ProcessRegistry:
    """The processes of a state folder: name, process id and start time, in one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[int, float]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """The variable that marks each process of this registry."""
        return {REGISTRY_VARIABLE: str(self._path)}

    def add(self, name: str, pid: int) -> None:
        """Write down a process that was just started."""
        with self._lock:
            self._entries[name] = (pid, process_tree.start_time(pid))
            new = self._path.with_suffix(".new")
            new.write_text(json.dumps(self._entries))
            new.replace(self._path)

    def clear(self) -> None:
        """Remove all entries, since all processes have ended."""
        self._path.unlink(missing_ok=True)

    def stop_leftovers(
        self, print_line: Callable[[str], None], timeout_s: float = STOP_TIMEOUT_S
    ) -> None:
        """Stop what an earlier stack left running; kill it after `timeout_s` seconds."""
        leftovers = {name: self._leftovers(*entry) for name, entry in self._read().items()}
        for name in (name for name, processes in leftovers.items() if processes):
            print_line(f"ending {name}, which a killed stack left running")
        _stop([process for processes in leftovers.values() for process in processes], timeout_s)
        self.clear()

    def _read(self) -> dict[str, tuple[int, float]]:
        try:
            entries = json.loads(self._path.read_text())
            return {name: (int(pid), float(started)) for name, (pid, started) in entries.items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return {}

    def _leftovers(self, leader: int, started: float) -> list[psutil.Process]:
        """Return the living members of the group whose leader started at that time.

        A group whose leader is gone may be another one of the same id: of that one only what bears
        the registry's variable counts.
        """
        actual = process_tree.start_time(leader)
        if actual and abs(actual - started) > CLOCK_TOLERANCE_S:
            return []
        members = process_tree.group(leader)
        return members if actual else [member for member in members if self._is_ours(member)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(REGISTRY_VARIABLE) == str(self._path)
        except psutil.Error:
            return False


def _stop(processes: Sequence[psutil.Process], timeout_s: float) -> None:
    pids = [process.pid for process in processes]
    # Postgres takes SIGINT as a fast shutdown; all others stop on it too.
    process_tree.send(pids, signal.SIGINT)
    process_tree.send(pids, signal.SIGCONT)
    _, alive = psutil.wait_procs(processes, timeout=timeout_s)
    process_tree.send([process.pid for process in alive], signal.SIGKILL)
    psutil.wait_procs(alive, timeout=STOP_TIMEOUT_S)
