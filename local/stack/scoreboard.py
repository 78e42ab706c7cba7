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
class HighlightRow:
    """A highlight as it is shown; `milliseconds` are those from the event's 202 to READY."""

    minute: str
    score: str
    title: str
    summary: str
    milliseconds: int

    @classmethod
    def of(cls, highlight: Mapping[str, object], seconds: float) -> "HighlightRow":
        """Return the row of a highlight in the JSON of the REST API."""
        minute, added = highlight.get("minute"), highlight.get("addedTime")
        home, away = highlight.get("homeScore"), highlight.get("awayScore")
        return cls(
            minute="" if minute is None else f"{minute}+{added}'" if added else f"{minute}'",
            score="" if home is None else f"{home}{EN_DASH}{away}",
            title=str(highlight["title"]),
            summary=str(highlight["summary"]),
            milliseconds=round(seconds * 1000),
        )


class Scoreboard(Protocol):
    """Shows rows."""

    def add(self, row: HighlightRow) -> None:
        """Show one more row."""


@contextmanager
def scoreboard(console: Console, title: str) -> Iterator[Scoreboard]:
    """Yield a table on a terminal, and plain lines elsewhere."""
    if not console.is_terminal:
        console.out(title, highlight=False)
        yield PlainScoreboard(console)
        return
    console.print(Text(title, "bold"), "")
    console.print(_table_row("min", "score", "highlight", "READY in", style="dim"))
    console.rule(style="dim")
    with console.status("the match is on"):
        yield TableScoreboard(console)


class TableScoreboard:
    """A table on a terminal, printed row by row, since it may be longer than the screen."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def add(self, row: HighlightRow) -> None:
        """Print the row, the summary below the title."""
        text = Text.assemble((row.title, "bold green"), "\n", row.summary)
        self._console.print(_table_row(row.minute, row.score, text, f"{row.milliseconds} ms"), "")


class PlainScoreboard:
    """One line for each row."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def add(self, row: HighlightRow) -> None:
        """Print the row."""
        self._console.out(
            f"{row.minute:>6} {row.score:>5}  READY in {row.milliseconds:>3} ms"
            f"  {row.title} | {row.summary}",
            highlight=False,
        )


def _table_row(minute: str, score: str, text: Text | str, time: str, style: str = "") -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=6, justify="right", style="dim")
    table.add_column(width=5, justify="center", style="bold")
    table.add_column(ratio=1)
    table.add_column(width=8, justify="right", style="cyan")
    table.add_row(minute, score, text, time, style=style)
    return table
