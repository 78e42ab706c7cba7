"""Shows highlights as they become READY: a table on a terminal, plain lines elsewhere."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from local.replay.words import EN_DASH


@dataclass(frozen=True)
class Row:
    """One highlight as it is shown; `milliseconds` from the event's 202 to READY over REST."""

    minute: str
    score: str
    title: str
    summary: str
    milliseconds: int

    @classmethod
    def of(cls, highlight: Mapping[str, object], seconds: float) -> "Row":
        """The row of a highlight as the REST API gives it."""
        minute, added = highlight.get("minute"), highlight.get("addedTime")
        home, away = highlight.get("homeScore"), highlight.get("awayScore")
        return cls(
            minute="" if minute is None else f"{minute}+{added}'" if added else f"{minute}'",
            score="" if home is None else f"{home}{EN_DASH}{away}",
            title=str(highlight["title"]),
            summary=str(highlight["summary"]),
            milliseconds=round(seconds * 1000),
        )


class Board(Protocol):
    """Where rows are shown."""

    def add(self, row: Row) -> None:
        """Show one more row."""


@contextmanager
def board(console: Console, title: str) -> Iterator[Board]:
    """Yield a board that suits the console."""
    if not console.is_terminal:
        console.out(title, highlight=False)
        yield Lines(console)
        return
    table = _table(title)
    with Live(table, console=console, refresh_per_second=20):
        yield Grid(table)


class Grid:
    """A table on a terminal."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, row: Row) -> None:
        """Add a line to the table."""
        milliseconds = f"{row.milliseconds} ms"
        self._table.add_row(row.minute, row.score, row.title, row.summary, milliseconds)


class Lines:
    """A line a row."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def add(self, row: Row) -> None:
        """Print the row."""
        self._console.out(
            f"{row.minute:>6} {row.score:>4}  READY in {row.milliseconds:>3} ms"
            f"  {row.title} | {row.summary}",
            highlight=False,
        )


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, expand=True)
    table.add_column("min", justify="right", style="dim", no_wrap=True)
    table.add_column("score", justify="center", style="bold", no_wrap=True)
    table.add_column("highlight", style="bold green", ratio=2)
    table.add_column("summary", ratio=3)
    table.add_column("READY in", justify="right", style="cyan", no_wrap=True)
    return table
