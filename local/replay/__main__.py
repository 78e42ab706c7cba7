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
from local.replay.formatting import fixture, line
from local.replay.openfootball import Match, UnreadableFileError
from local.replay.posting import reason
from local.replay.progress import watching
from local.replay.report import Report
from local.replay.run import ProxyError, connect, replay
from local.replay.schedule import plan
from local.replay.selection import NoSuchMatchError, select

DONE, MISSING, USAGE, INTERRUPTED = 0, 1, 2, 130


class UnreachableError(Exception):
    """A service that the replay needs does not answer."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` and return its exit status."""
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


def _run(options: Namespace, matches: Sequence[Match], output: StdoutConsole) -> int:
    if options.list:
        return _list(matches, output)
    if options.dry_run:
        return _dry_run(options, matches, output)
    report = asyncio.run(_replay(options, matches, output))
    for text in report.lines():
        output.print_line(text)
    return MISSING if report.missing else DONE


def _read(path: Path) -> list[Match]:
    return match_lines.read(path) if path.suffix == ".jsonl" else openfootball.read(path)


def _list(matches: Sequence[Match], output: StdoutConsole) -> int:
    for match in matches:
        output.print_line(f"{match.date} {fixture(match)}")
        for event in events(match):
            output.print_line(f"    {line(event)}")
    return DONE


def _dry_run(options: Namespace, matches: Sequence[Match], output: StdoutConsole) -> int:
    lanes = plan(matches, speed=options.speed, times=options.times, shuffle=options.shuffle)
    postings = sorted((p for lane in lanes for p in lane), key=lambda posting: posting.due)
    for _, event in postings:
        output.print_line(event.to_json().decode())
    return DONE


async def _replay(options: Namespace, matches: Sequence[Match], output: StdoutConsole) -> Report:
    for url in (options.events_url, options.highlights_url):
        await _reach(url)
    posts = sum(len(events(match)) for match in matches) * options.times
    with watching(output, posts) as watcher:
        return await replay(
            matches,
            events_url=options.events_url,
            highlights_url=options.highlights_url,
            speed=options.speed,
            times=options.times,
            shuffle=options.shuffle,
            patience=options.patience,
            wait=options.wait,
            api_key=options.api_key,
            on_accepted=watcher.accepted,
            on_retry=watcher.retrying,
            on_ready=watcher.ready,
        )


async def _reach(url: str) -> None:
    """Raise UnreachableError unless something answers at `url`, whatever it says."""
    try:
        async with connect(url) as http:
            await http.get(f"{url}/health")
    except httpx.RequestError as error:
        raise UnreachableError(
            f"nothing answers at {url} ({reason(error)}): is the stack up?"
        ) from error


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"replay: {message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
