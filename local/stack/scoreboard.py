"""Shows highlights as they become READY: a table on a terminal, plain lines elsewhere."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.replay.formatting import EN_DASH


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
    console.print(Text(title, "bold"), "")
    console.print(_row("min", "score", "highlight", "READY in", style="dim"))
    console.rule(style="dim")
    with console.status("the match is on"):
        yield Grid(console)


class Grid:
    """A table on a terminal, printed row by row: it may be longer than the screen."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def add(self, row: Row) -> None:
        """Print the row, the summary below the title."""
        text = Text.assemble((row.title, "bold green"), "\n", row.summary)
        self._console.print(_row(row.minute, row.score, text, f"{row.milliseconds} ms"), "")


class Lines:
    """A line a row."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def add(self, row: Row) -> None:
        """Print the row."""
        self._console.out(
            f"{row.minute:>6} {row.score:>5}  READY in {row.milliseconds:>3} ms"
            f"  {row.title} | {row.summary}",
            highlight=False,
        )


def _row(minute: str, score: str, text: Text | str, time: str, style: str = "") -> Table:
    row = Table.grid(padding=(0, 1), expand=True)
    row.add_column(width=6, justify="right", style="dim")
    row.add_column(width=5, justify="center", style="bold")
    row.add_column(ratio=1)
    row.add_column(width=8, justify="right", style="cyan")
    row.add_row(minute, score, text, time, style=style)
    return row
