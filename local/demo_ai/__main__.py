"""Has a small language model write of the final of 2022, and shows each of its tries."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields

from functions.enrich_batch.enricher import EnricherUnavailable
from functions.enrich_batch.remote.build import openai_enricher
from functions.enrich_batch.remote.settings import EnricherSettings
from functions.shared.contract.event import Event
from functions.shared.contract.highlight import Facts
from functions.shared.settings.load import load
from local.demo_ai.report import WIDTH, show, summary
from local.demo_ai.small_model import MODEL, ROOT, ModelNotServed, small_model
from local.demo_ai.tries import RecordingReviewer, Result
from local.process.console import StdoutConsole, stdout_console
from local.process.shutdown import interrupt_on_signals
from local.replay.feed import events
from local.replay.formatting import event_line
from local.replay.openfootball import read
from local.replay.selection import NoSuchMatchError, select

SAMPLE = ROOT / "local" / "samples" / "worldcup_2022.json"
FINAL = "Argentina France"
# A laptop reads some hundred tokens of a prompt a second, and writes some ten.
DEFAULTS = {"OPENAI_TEMPERATURE": "0.2", "OPENAI_MAX_TOKENS": "120", "ENRICHER_TIMEOUT_S": "120"}
NAMES = {field.name for field in fields(Facts)}
DONE, NO_MODEL, USAGE, INTERRUPTED = 0, 1, 2, 130  # exit statuses


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with the arguments `argv`; return its exit status."""
    options = _parser().parse_args(argv)
    console = stdout_console()
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    try:
        matches = select(read(SAMPLE), [] if options.all else options.match or [FINAL])
        with interrupt_on_signals(), ExitStack() as exits:
            environ = DEFAULTS | dict(os.environ)
            if not environ.get("OPENAI_BASE_URL"):
                console.print_line(f"{MODEL} is being loaded …")
                url = exits.enter_context(small_model())
                environ |= {"OPENAI_BASE_URL": url, "OPENAI_MODEL": MODEL}
            goals = [event for match in matches for event in events(match)]
            asyncio.run(_run(environ, goals, console))
    except NoSuchMatchError as error:
        return _fail(str(error), USAGE)
    except ModelNotServed as error:
        return _fail(str(error), NO_MODEL)
    except EnricherUnavailable as away:
        return _fail(f"The model is away: {away}", NO_MODEL)
    except KeyboardInterrupt:
        console.print_line("stopped")
        return INTERRUPTED
    return DONE


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m local.demo_ai",
        description="Has a small language model write of the World Cup final of 2022, and shows "
        "what it writes, what is refused and why, and what is published.",
        epilog="OPENAI_BASE_URL and OPENAI_MODEL name another model.",
    )
    which = made.add_mutually_exclusive_group()
    which.add_argument(
        "--match",
        metavar="TEXT",
        action="append",
        help="only matches whose teams contain these words; may be given several times",
    )
    which.add_argument("--all", action="store_true", help="all 64 matches")
    return made


async def _run(environ: Mapping[str, str], goals: Sequence[Event], console: StdoutConsole) -> None:
    settings = load(EnricherSettings, {**environ, "ENRICHER": "openai"})
    enricher = openai_enricher(settings)
    reviewer = RecordingReviewer(enricher)
    results: list[Result] = []
    began = time.monotonic()
    try:
        for number, event in enumerate(goals, 1):
            title = f"Goal {number} of {len(goals)}: {event_line(event)}"
            with console.status(f"{title} …"):
                results.append(await reviewer.review(_facts(event)))
            show(console, title, results[-1])
    finally:
        await enricher.close()
    console.print_line(summary(results, time.monotonic() - began))


def _facts(event: Event) -> Facts:
    return Facts(**event.model_dump(include=NAMES))


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"{message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
