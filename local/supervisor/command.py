"""A command to supervise: what to run, when it is ready, how to stop it."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class User:
    """The user that a process runs as, where that is not the caller."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Run:
    """One run of a command: its process id, and the byte of the log at which its output begins.

    `was_ready` is true if it was ready when its log was rotated: the log no longer shows it.
    """

    pid: int
    log: Path
    log_start: int
    was_ready: bool = False

    def output(self) -> str:
        """Return what this run has logged so far."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace")


@dataclass(frozen=True)
class Command:
    """A process of a stack.

    `environment` is added to the caller's own. A command that runs `once` does its work and ends:
    it is not restarted, and is ready when it has ended with status 0. `ready` is asked about the
    current run. `prepare` runs before every start. `restarts` names the processes that lose state
    when this one dies: they are restarted after it, in that order.
    """

    name: str
    arguments: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path = Path("/")
    user: User | None = None
    once: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    ready: Callable[[Run], bool] = lambda _: True
    prepare: Callable[[], None] = lambda: None
    restarts: Sequence[str] = ()
