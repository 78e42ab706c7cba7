"""Has a small language model write of the final of 2022, and shows each of its tries."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from functions.enrich_batch.enricher import normalize
from functions.enrich_batch.remote.build import openai_enricher
from functions.enrich_batch.remote.settings import EnricherSettings
from functions.enrich_batch.template import TemplateEnricher
from functions.shared.contract.event import Event
from functions.shared.contract.highlight import Facts, HighlightText
from functions.shared.settings.load import load
from local.demo_ai.tries import Published, publish
from local.process.console import stdout_console
from local.replay.feed import events
from local.replay.openfootball import read
from local.replay.selection import select

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "local" / "samples" / "worldcup_2022.json"
FINAL = "Argentina France"
PYTHON = ROOT / ".venv" / "demo-ai" / "bin" / "python"
MODEL = "SmolLM2-135M-Instruct"
# A laptop reads some hundred tokens of a prompt a second, and writes some ten.
DEFAULTS = {"OPENAI_TEMPERATURE": "0.2", "OPENAI_MAX_TOKENS": "200", "ENRICHER_TIMEOUT_S": "120"}
NAMES = {field.name for field in fields(Facts)}


def main() -> int:
    """Run the demo; return the exit status. OPENAI_BASE_URL and OPENAI_MODEL name another model."""
    console = stdout_console()
    with ExitStack() as stack:
        environ = DEFAULTS | dict(os.environ)
        if not environ.get("OPENAI_BASE_URL"):
            url = stack.enter_context(small_model())
            environ |= {"OPENAI_BASE_URL": url, "OPENAI_MODEL": MODEL}
        try:
            asyncio.run(_run(environ, console))
        except KeyboardInterrupt:
            return 130
    return 0


@contextmanager
def small_model() -> Iterator[str]:
    """Run the small model, and yield its base URL."""
    log = PYTHON.parents[1] / "model.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(  # noqa: S603 - our own program, and no shell
            [PYTHON, Path(__file__).parent / "model_process.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            if not url:
                sys.exit(f"The model does not start; {log} says why.")
            yield url
        finally:
            process.terminate()


async def _run(environ: Mapping[str, str], console: Console) -> None:
    settings = load(EnricherSettings, {**environ, "ENRICHER": "openai"})
    enricher = openai_enricher(settings)
    (match,) = select(read(SAMPLE), [FINAL])
    try:
        console.print(Text(f"{settings.openai_model} writes of {match.home} against {match.away}"))
        for event in events(match):
            began = time.monotonic()
            published = await publish(enricher, TemplateEnricher(), _facts(event))
            _show(console, event, published, time.monotonic() - began)
    finally:
        await enricher.close()


def _facts(event: Event) -> Facts:
    return normalize(Facts(**event.model_dump(include=NAMES)))


def _show(console: Console, event: Event, published: Published, seconds: float) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(width=9)
    table.add_column(ratio=3)
    table.add_column(ratio=2)
    for number, each in enumerate(published.tries, 1):
        why = "\n".join(f"{refusal.code}: {refusal.found}" for refusal in each.refusals)
        table.add_row(f"try {number}", _lines(each.text), Text(why or "taken", "red" * bool(why)))
    written_by = Text(f"{published.written_by}, {published.tokens} tokens, {seconds:.1f} s")
    table.add_row("published", _lines(published.text, "bold green"), written_by)
    console.print(
        "", Text(f"{event.minute}'  {event.home_score}–{event.away_score}", "bold"), table
    )


def _lines(text: HighlightText | None, style: str = "") -> Text:
    return Text.assemble((text.title, style), "\n", text.summary) if text else Text("nothing")


if __name__ == "__main__":
    sys.exit(main())
