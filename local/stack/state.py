"""The folder in which a stack keeps its data, its logs, and the note of what it runs."""

import fcntl
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from local.stack.errors import StackError


class State:
    """One state folder, for one stack at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.logs = self.root / "logs"
        self.postgres = self.root / "pgdata"
        self.caddy = self.root / "caddy"
        self.run = self.root / "run"
        self.register = self.root / "processes.json"
        self.environment = self.root / "env"
        self._lock_file = self.root / "lock"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder and hold it: nobody else can meanwhile.

        Raises:
            StackError: another stack holds it, or it cannot be made.
        """
        try:
            for folder in (self.logs, self.caddy, self.run):
                folder.mkdir(parents=True, exist_ok=True)
            lock = self._lock_file.open("ab+", buffering=0)
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

    def publish(self, environment: Mapping[str, str]) -> None:
        """Let commands beside the stack know its environment, as a file that a shell can source.

        Only its user may read it: the URL of a service may hold a password.
        """
        lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items())
        self.environment.touch(mode=0o600)
        self.environment.write_text(lines, encoding="utf-8")

    def withdraw(self) -> None:
        """The stack stops: its environment holds no longer."""
        self.environment.unlink(missing_ok=True)

    def published(self) -> dict[str, str]:
        """The environment of the stack that runs on this folder.

        Raises:
            StackError: none does.
        """
        try:
            with self._lock_file.open("rb") as lock:
                is_up = self.environment.exists() and _is_locked(lock.fileno())
            text = self.environment.read_text(encoding="utf-8") if is_up else ""
        except FileNotFoundError:
            is_up = False
        except OSError as error:
            raise StackError(f"cannot read {error.filename}: {error.strerror}") from None
        if not is_up:
            raise StackError(f"no stack is up on {self.root}; start one with: make up")
        pairs = (each.partition("=") for each in shlex.split(text))
        return {name: value for name, _, value in pairs}

    def forget(self) -> None:
        """Drop what services kept."""
        shutil.rmtree(self.postgres, ignore_errors=True)

    def _lock(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._lock_file.read_text() or "another process"
            raise StackError(
                f"a stack runs on {self.root} already (process {holder});"
                " stop it, or set GOALSTREAM_STATE to another folder"
            ) from None


def _is_locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
