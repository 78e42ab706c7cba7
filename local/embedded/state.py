"""The folder in which a stack keeps its data, its logs, and the note of what it runs."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from local.embedded.error import StackError


class State:
    """One state folder, for one stack at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.logs = self.root / "logs"
        self.postgres = self.root / "pgdata"
        self.caddy = self.root / "caddy"
        self.run = self.root / "run"
        self.register = self.root / "processes.json"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder and hold it: nobody else can meanwhile.

        Raises:
            StackError: another stack holds it, or it cannot be made.
        """
        try:
            for folder in (self.logs, self.caddy, self.run):
                folder.mkdir(parents=True, exist_ok=True)
            lock = (self.root / "lock").open("ab+", buffering=0)
        except OSError as error:
            raise StackError(f"cannot use {self.root} for the state: {error.strerror}") from None
        with lock:
            self._lock(lock.fileno())
            lock.truncate(0)
            with suppress(OSError):  # a full disk; it only tells others who holds the folder
                lock.write(str(os.getpid()).encode())
            try:
                yield
            finally:
                lock.truncate(0)

    def forget(self) -> None:
        """Drop what services kept."""
        shutil.rmtree(self.postgres, ignore_errors=True)

    def _lock(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = (self.root / "lock").read_text() or "another process"
            raise StackError(
                f"a stack runs on {self.root} already (process {holder});"
                " stop it, or set GOALSTREAM_STATE to another folder"
            ) from None
