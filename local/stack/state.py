"""The folder in which a stack keeps its data, its logs, and the list of its processes."""

import fcntl
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from local.stack import StackError


class State:
    """One state folder, which one stack at a time can lock."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.logs = self.root / "logs"
        self.postgres = self.root / "pgdata"
        self.caddy = self.root / "caddy"
        self.run = self.root / "run"
        self.registry = self.root / "processes.json"
        self.environment = self.root / "env"
        self._lock_file = self.root / "lock"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Make the folder, and lock it within the context.

        Raises:
            StackError: another stack has locked it, or it cannot be made.
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
            with suppress(OSError):  # a full disk; the id only serves the error of another stack
                lock.write(str(os.getpid()).encode())
            try:
                yield
            finally:
                lock.truncate(0)

    def write_environment(self, environment: Mapping[str, str]) -> None:
        """Write the stack's environment to a file that a shell can source, for other commands.

        Only its user may read it: the URL of a service may hold a password.
        """
        lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items())
        self.environment.touch(mode=0o600)
        self.environment.write_text(lines, encoding="utf-8")

    def remove_environment(self) -> None:
        """Remove the environment of a stack that stops."""
        self.environment.unlink(missing_ok=True)

    def read_environment(self) -> dict[str, str]:
        """Return the environment of the stack that runs on this folder.

        Raises:
            StackError: none runs.
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

    def delete_data(self) -> None:
        """Delete what services have stored."""
        shutil.rmtree(self.postgres, ignore_errors=True)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = self._lock_file.read_text() or "another process"
            raise StackError(
                f"a stack runs on {self.root} already (process {owner});"
                " stop it, or set GOALSTREAM_STATE to another folder"
            ) from None


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
