"""`python -m local.replay`: see `--help`."""

import asyncio
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import httpx

from local.process.console import StdoutConsole, stdout_console
from local.replay import match_lines, openfootball
from local.replay.arguments import parser
from local.replay.feed import events
from local.replay.formatting import event_line, fixture
from local.replay.openfootball import Match, UnreadableFileError
from local.replay.posting import describe_error
from local.replay.progress import shown_progress
from local.replay.report import Report
from local.replay.run import Options, ProxyError, connect, replay
from local.replay.schedule import plan
from local.replay.selection import NoSuchMatchError, select

DONE, MISSING, USAGE, INTERRUPTED = 0, 1, 2, 130  # exit statuses


class UnreachableError(Exception):
    """A service that the replay needs does not answer."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the arguments `argv`; return its exit status."""
    options = parser(os.environ).parse_args(argv)
    try:
        matches = select(_read(options.file), options.match)
    except (UnreadableFileError, NoSuchMatchError) as error:
        return _fail(str(error), USAGE)
    except OSError as error:
        return _fail(f"{options.file}: {error.strerror}", USAGE)
    try:
        return _run(options, matches, stdout_console())
    except (UnreachableError, ProxyError) as error:
        return _fail(str(error), USAGE)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)


def _run(options: Namespace, matches: Sequence[Match], console: StdoutConsole) -> int:
    if options.list:
        return _list(matches, console)
    if options.dry_run:
        return _dry_run(options, matches, console)
    report = asyncio.run(_replay(options, matches, console))
    for text in report.lines():
        console.print_line(text)
    return MISSING if report.missing else DONE


def _read(path: Path) -> list[Match]:
    return match_lines.read(path) if path.suffix == ".jsonl" else openfootball.read(path)


def _list(matches: Sequence[Match], console: StdoutConsole) -> int:
    for match in matches:
        console.print_line(f"{match.date} {fixture(match)}")
        for event in events(match):
            console.print_line(f"    {event_line(event)}")
    return DONE


def _dry_run(options: Namespace, matches: Sequence[Match], console: StdoutConsole) -> int:
    lanes = plan(matches, speed=options.speed, times=options.times, shuffle=options.shuffle)
    postings = sorted(
        (posting for lane in lanes for posting in lane), key=lambda posting: posting.due
    )
    for _, event in postings:
        console.print_line(event.to_json().decode())
    return DONE


async def _replay(options: Namespace, matches: Sequence[Match], console: StdoutConsole) -> Report:
    for url in (options.events_url, options.highlights_url):
        await _require_server(url)
    posts = sum(len(events(match)) for match in matches) * options.times
    with shown_progress(console, posts) as listener:
        return await replay(
            matches,
            Options(
                events_url=options.events_url,
                highlights_url=options.highlights_url,
                speed=options.speed,
                times=options.times,
                shuffle=options.shuffle,
                patience_s=options.patience,
                wait_s=options.wait,
                api_key=options.api_key,
            ),
            listener,
        )


async def _require_server(url: str) -> None:
    """Raise UnreachableError unless a server responds at `url`, with any status."""
    try:
        async with connect(url) as http:
            await http.get(f"{url}/health")
    except httpx.RequestError as error:
        raise UnreachableError(
            f"nothing answers at {url} ({describe_error(error)}): is the stack up?"
        ) from error


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"replay: {message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
