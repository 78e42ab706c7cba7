"""The progress of a replay: bars on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from functions.shared.contract.event import Event
from local.process.console import StdoutConsole
from local.replay.formatting import event_line
from local.replay.posting import Accepted


class Listener:
    """Is called when something happens in a replay; this one does nothing."""

    def accepted(self, accepted: Accepted) -> None:
        """A goal was accepted."""

    def retrying(self, event: Event, reason: str, delay_s: float) -> None:
        """A goal will be posted again in `delay_s` seconds."""

    def ready(self, count: int, total: int) -> None:
        """As many highlights are READY, of those that are expected."""


@contextmanager
def shown_progress(console: StdoutConsole, posts: int) -> Iterator[Listener]:
    """Yield a listener that shows `posts` being accepted and their highlights becoming READY."""
    if not console.is_terminal:
        yield PlainProgress(console)
        return
    columns = (
        TextColumn("{task.description:>5}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console) as progress:
        yield ProgressBars(progress, posts)


class ProgressBars(Listener):
    """Two bars: accepted goals, and highlights that are READY."""

    def __init__(self, progress: Progress, posts: int) -> None:
        self._progress = progress
        self._goals = progress.add_task("goals", total=posts, note="")
        self._ready = progress.add_task("READY", total=posts, note="", start=False)

    def accepted(self, accepted: Accepted) -> None:
        """Advance the first bar, with the goal beside it."""
        self._progress.update(self._goals, advance=1, note=event_line(accepted.event))

    def retrying(self, event: Event, reason: str, delay_s: float) -> None:  # noqa: ARG002 - a Listener's
        """Show the reason beside the first bar."""
        self._progress.update(self._goals, note=f"again in {delay_s:.1f} s: {reason}")

    def ready(self, count: int, total: int) -> None:
        """Advance the second bar."""
        self._progress.start_task(self._ready)
        self._progress.update(self._ready, completed=count, total=total)


class PlainProgress(Listener):
    """A line for each goal, and one whenever something else changes."""

    def __init__(self, console: StdoutConsole) -> None:
        self._console = console
        self._reason = ""
        self._count = 0

    def accepted(self, accepted: Accepted) -> None:
        """Print the goal."""
        self._reason = ""
        self._console.print_line(event_line(accepted.event))

    def retrying(self, event: Event, reason: str, delay_s: float) -> None:
        """Print the goal and the reason, unless the line before has the same reason."""
        if reason != self._reason:
            self._reason = reason
            self._console.print_line(f"again in {delay_s:.1f} s: {event_line(event)}: {reason}")

    def ready(self, count: int, total: int) -> None:
        """Print the count when it has changed."""
        if count != self._count:
            self._count = count
            self._console.print_line(f"READY: {count} of {total}")
