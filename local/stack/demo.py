"""`python -m local.stack.demo`: starts GoalStream, replays a final, shows its highlights, stops."""

import argparse
import asyncio
import os
import sys
import time
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path

import httpx

from local.process.console import StdoutConsole, stdout_console
from local.process.shutdown import interrupt_on_signals
from local.replay.feed import match_id
from local.replay.formatting import fixture
from local.replay.openfootball import Match, read
from local.replay.posting import Accepted
from local.replay.progress import Listener
from local.replay.report import Report
from local.replay.run import Options, connect, replay
from local.replay.selection import select
from local.stack import ROOT, StackError
from local.stack.addresses import Ports
from local.stack.browser import take_picture
from local.stack.options import parser
from local.stack.ports import is_free
from local.stack.scoreboard import HighlightRow, Scoreboard, scoreboard
from local.stack.screenshot import Recorder
from local.stack.stack import Stack, running_stack
from local.supervisor import NotReady

SAMPLE = ROOT / "local" / "samples" / "worldcup_2022.json"
FINAL = "Argentina France"
SPEED = 1200.0
READY_TIMEOUT_S = 30
POLL_S = 0.005
NEXT = """
Next:
  make up       the same stack until Ctrl-C
  make replay   all 64 matches of 2022, once it is up
  make test     what holds, proved on this machine

The first address that make up prints is that of the live ticker: open it, and goals come to you."""


def main() -> int:
    """Run the demo; return the exit status."""
    options = _options()
    console = Recorder() if options.svg else stdout_console()
    try:
        with interrupt_on_signals():
            status = _run(options, console)
            if isinstance(console, Recorder) and not status:
                console.save(options.svg, "make demo")
            return status
    except KeyboardInterrupt:
        console.print_line("stopped")
        return 130
    except (StackError, NotReady) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _options() -> argparse.Namespace:
    made = parser(
        "python -m local.stack.demo",
        "Starts GoalStream, replays the World Cup final of 2022, shows its highlights, stops.",
        os.environ,
    )
    made.add_argument("--svg", metavar="FILE", type=Path, help="write what is shown as an SVG")
    made.add_argument("--png", metavar="FILE", type=Path, help="write a picture of the ticker too")
    return made.parse_args()


def _run(options: argparse.Namespace, console: StdoutConsole) -> int:
    [match] = select(read(SAMPLE), [FINAL])
    with ExitStack() as exits:
        with console.status("Services, functions, trigger, cron and gateway start …"):
            began = time.monotonic()
            stack = exits.enter_context(_stack(options, console))
        console.print_line(f"GoalStream is up after {time.monotonic() - began:.1f} s.\n")
        with scoreboard(console, _title(match)) as board:
            report = asyncio.run(_replay(stack, match, board))
        if options.png:
            take_picture(f"{stack.highlights_url}/?match={match_id(match)}", options.png)
    for line in report.lines():
        console.print_line(line)
    console.print_line(NEXT)
    return 1 if report.missing else 0


def _stack(options: argparse.Namespace, console: StdoutConsole) -> AbstractContextManager[Stack]:
    return running_stack(
        options.state / "demo",
        ports=Ports(
            _free_or_any(console, options.events_port),
            _free_or_any(console, options.highlights_port),
            options.kafka_port or 0,
        ),
        fresh=True,  # highlights of an earlier replay would be READY before this one
        print_line=console.print_line,
    )


def _free_or_any(console: StdoutConsole, port: int) -> int:
    """Return the port if it is free, and else 0, any free one."""
    with suppress(PermissionError):
        if is_free(port):
            return port
    console.print_line(f"Port {port} cannot be had; the demo takes another.")
    return 0


def _title(match: Match) -> str:
    day = f"{match.date:%d %B %Y}"
    return f"{match.competition}, {day}: {fixture(match)}, {SPEED:g} times as fast"


async def _replay(stack: Stack, match: Match, board: Scoreboard) -> Report:
    """Replay a match, and show each of its highlights as soon as it is READY."""
    async with connect(stack.highlights_url) as http, asyncio.TaskGroup() as tasks:
        options = Options(stack.events_url, stack.highlights_url, speed=SPEED)
        listener = _HighlightsListener(http, stack.highlights_url, board, tasks)
        return await replay([match], options, listener)


class _HighlightsListener(Listener):
    """Shows the highlight of each accepted event on a scoreboard."""

    def __init__(
        self, http: httpx.AsyncClient, url: str, board: Scoreboard, tasks: asyncio.TaskGroup
    ) -> None:
        self._http = http
        self._url = url
        self._board = board
        self._tasks = tasks

    def accepted(self, accepted: Accepted) -> None:
        """Wait for the highlight in a task."""
        self._tasks.create_task(self._show(f"{self._url}/highlights/{accepted.highlight_id}"))

    async def _show(self, url: str) -> None:
        """Poll a highlight until it is READY, then show it."""
        accepted = time.monotonic()
        while time.monotonic() - accepted < READY_TIMEOUT_S:
            with suppress(httpx.TransportError):  # the next poll may succeed
                response = await self._http.get(url)
                if response.is_success and (highlight := response.json())["status"] == "READY":
                    self._board.add(HighlightRow.of(highlight, time.monotonic() - accepted))
                    return
            await asyncio.sleep(POLL_S)


if __name__ == "__main__":
    sys.exit(main())
