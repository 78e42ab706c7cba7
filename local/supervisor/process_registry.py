"""What a stack started, noted on disk, so that the next one can end what a killed one left."""

import json
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from local.supervisor import process_tree

PATIENCE_S = 5.0
CLOCK_TOLERANCE_S = 2.0
MARK = "GOALSTREAM_REGISTER"


class ProcessRegistry:
    """The processes of a state folder: name, process id and start time, in one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._lock = threading.Lock()
        self._notes: dict[str, tuple[int, float]] = {}

    @property
    def mark(self) -> dict[str, str]:
        """The variable that tells in a process's environment whose it is."""
        return {MARK: str(self._path)}

    def note(self, name: str, pid: int) -> None:
        """Remember a process that was just started."""
        with self._lock:
            self._notes[name] = (pid, process_tree.start_time(pid))
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(self._notes))
            fresh.replace(self._path)

    def clear(self) -> None:
        """Forget all: everything ended in good order."""
        self._path.unlink(missing_ok=True)

    def end_leftovers(self, say: Callable[[str], None], patience: float = PATIENCE_S) -> None:
        """End what an earlier stack left running, by force after `patience` seconds."""
        left = {name: self._left(*note) for name, note in self._read().items()}
        for name in (name for name, processes in left.items() if processes):
            say(f"ending {name}, which a killed stack left running")
        end([process for processes in left.values() for process in processes], patience)
        self.clear()

    def _read(self) -> dict[str, tuple[int, float]]:
        try:
            notes = json.loads(self._path.read_text())
            return {name: (int(pid), float(started)) for name, (pid, started) in notes.items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return {}

    def _left(self, leader: int, started: float) -> list[psutil.Process]:
        """What lives of the group whose leader started then, and of no other group of its id."""
        actual = process_tree.start_time(leader)
        if actual and abs(actual - started) > CLOCK_TOLERANCE_S:
            return []
        members = process_tree.group(leader)
        return members if actual else [member for member in members if self._is_marked(member)]

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == str(self._path)
        except psutil.Error:
            return False


def end(processes: Iterable[psutil.Process], patience: float) -> None:
    """Ask processes to stop, and kill those that have not within `patience` seconds."""
    ids = [process.pid for process in processes]
    # Postgres takes SIGINT as "at once, in good order"; all others stop on it too.
    process_tree.send(ids, signal.SIGINT)
    process_tree.send(ids, signal.SIGCONT)
    _, alive = psutil.wait_procs(processes, timeout=patience)
    process_tree.send([process.pid for process in alive], signal.SIGKILL)
    psutil.wait_procs(alive, timeout=PATIENCE_S)
