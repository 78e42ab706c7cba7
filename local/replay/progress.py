"""Shows how a replay goes: bars on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from functions.shared.contract.event import Event
from local.process.console import StdoutConsole
from local.replay.formatting import line
from local.replay.posting import Accepted


class Watcher(Protocol):
    """Hears what happens in a replay."""

    def accepted(self, accepted: Accepted) -> None:
        """Hear that a goal went in."""

    def retrying(self, event: Event, why: str, delay: float) -> None:
        """Hear that a goal is posted again in `delay` seconds, and why."""

    def ready(self, count: int, of: int) -> None:
        """Hear how many highlights are READY, of those that went in."""


@contextmanager
def watching(output: StdoutConsole, posts: int) -> Iterator[Watcher]:
    """Yield a watcher that shows `posts` going in and their highlights becoming READY."""
    if not output.is_terminal:
        yield Lines(output)
        return
    columns = (
        TextColumn("{task.description:>5}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=output) as progress:
        yield Bars(progress, posts)


class Bars:
    """Two bars: goals that went in, and highlights that are READY."""

    def __init__(self, progress: Progress, posts: int) -> None:
        self._progress = progress
        self._goals = progress.add_task("goals", total=posts, note="")
        self._ready = progress.add_task("READY", total=posts, note="", start=False)

    def accepted(self, accepted: Accepted) -> None:
        """Advance the first bar and name the goal beside it."""
        self._progress.update(self._goals, advance=1, note=line(accepted.event))

    def retrying(self, event: Event, why: str, delay: float) -> None:  # noqa: ARG002 - a Watcher's
        """Say beside the first bar what it waits for."""
        self._progress.update(self._goals, note=f"again in {delay:.1f} s: {why}")

    def ready(self, count: int, of: int) -> None:
        """Advance the second bar."""
        self._progress.start_task(self._ready)
        self._progress.update(self._ready, completed=count, total=of)


class Lines:
    """A line for each goal, and one whenever something else changes."""

    def __init__(self, output: StdoutConsole) -> None:
        self._output = output
        self._trouble = ""
        self._count = 0

    def accepted(self, accepted: Accepted) -> None:
        """Print the goal."""
        self._trouble = ""
        self._say(line(accepted.event))

    def retrying(self, event: Event, why: str, delay: float) -> None:
        """Print why the goal waits, unless the line before says the same of another."""
        if why != self._trouble:
            self._trouble = why
            self._say(f"again in {delay:.1f} s: {line(event)}: {why}")

    def ready(self, count: int, of: int) -> None:
        """Print the count when it has changed."""
        if count != self._count:
            self._count = count
            self._say(f"READY: {count} of {of}")

    def _say(self, text: str) -> None:
        self._output.print_line(text)
