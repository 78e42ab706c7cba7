"""What to run, how to tell that it is ready, and how it likes to be stopped."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class User:
    """Whom a process runs as, where that is not the caller."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Run:
    """One run of a command: its process id, and where in the log what it says begins.

    `was_ready` is set if it was ready when its log was emptied, which may have said so.
    """

    pid: int
    log: Path
    log_start: int
    was_ready: bool = False

    def said(self) -> str:
        """What this run has logged so far."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace")


@dataclass(frozen=True)
class Command:
    """One process of a stack.

    `environment` is added to the caller's own. `once` is for a process that does its work and
    ends: it is not started again, and is ready when it has ended with status 0. `ready` is asked
    about the current run. `prepare` runs before every start. `renews` names
    processes that lose what they did, or what they hold, when this one dies: they start anew
    after it, in that order.
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
    renews: Sequence[str] = ()
