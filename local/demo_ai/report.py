"""What a model wrote, what was refused and why, and what was published, as a table and counted."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from functions.enrich_batch.review import TRIES
from functions.shared.contract.highlight import HighlightText
from local.demo_ai.tries import Result

WIDTH = 100  # columns
ORDINALS = ("first", "second", "third")


def show(console: Console, title: str, result: Result) -> None:
    """Print a goal: each try with the reasons to refuse it, and the text that is published."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=9)
    table.add_column(ratio=5)
    table.add_column(ratio=3)
    for number, each in enumerate(result.tries, 1):
        reasons = "\n".join(f"{refusal.code}: {refusal.found}" for refusal in each.refusals)
        why = Text(f"refused\n{reasons}", "red") if reasons else Text("taken", "green")
        table.add_row(f"try {number}", _lines(each.text), why)
    written_by = Text(f"by {result.published.enriched_by}")
    table.add_row("published", _lines(result.published.text, "bold green"), written_by)
    console.print(Text(title, "bold"), table, "")


def summary(results: Sequence[Result], seconds: float) -> str:
    """Return how many texts were taken at which try, and what that took, in one line."""
    taken_at = [result.taken_at for result in results]
    counts = [f"{taken_at.count(at)} at the {ORDINALS[at - 1]} try" for at in range(1, TRIES + 1)]
    tokens = sum(result.published.tokens for result in results)
    return (
        f"{len(results)} goals: {', '.join(counts)}, {taken_at.count(None)} by the template; "
        f"{tokens:,} tokens, {seconds:.0f} s"
    )


def _lines(text: HighlightText | None, style: str = "") -> Text:
    return Text.assemble((text.title, style), "\n", text.summary) if text else Text("no text")
