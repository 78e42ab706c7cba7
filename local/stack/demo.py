"""`python -m local.stack.demo`: starts GoalStream, replays a final, shows its highlights, stops."""

import asyncio
import os
import sys
import time
from contextlib import ExitStack, suppress

import httpx
from rich.console import Console

from local.process.console import stdout_console
from local.replay.formatting import fixture
from local.replay.openfootball import Match, read
from local.replay.report import Report
from local.replay.run import connect, replay
from local.replay.selection import select
from local.stack import ROOT
from local.stack.errors import StackError
from local.stack.interrupt import interruptible
from local.stack.options import parser
from local.stack.ports import is_free
from local.stack.scoreboard import Board, Row, board
from local.stack.stack import Stack
from local.supervisor import NotReady

SAMPLE = ROOT / "local" / "samples" / "worldcup_2022.json"
FINAL = "Argentina France"
SPEED = 1200.0
READY_LIMIT_S = 30
POLL_S = 0.005
NEXT = """
Next:
  make up       the same stack until Ctrl-C, with pages to try it by hand
  make replay   all 64 matches of 2022, once it is up
  make test     what holds, proved on this machine"""


def main() -> int:
    """Run the demo; returns the exit status."""
    console = stdout_console()
    try:
        with interruptible():
            return _run(console)
    except KeyboardInterrupt:
        console.out("stopped")
        return 130
    except (StackError, NotReady) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(console: Console) -> int:
    [match] = select(read(SAMPLE), [FINAL])
    with ExitStack() as exits:
        with console.status("Services, functions, trigger, cron and gateway start …"):
            began = time.monotonic()
            stack = exits.enter_context(_stack(console))
        console.out(f"GoalStream is up after {time.monotonic() - began:.1f} s.\n", highlight=False)
        with board(console, _title(match)) as shown:
            report = asyncio.run(_replay(stack, match, shown))
    for line in report.lines():
        console.out(line, highlight=False)
    console.out(NEXT, highlight=False)
    return 1 if report.missing else 0


def _stack(console: Console) -> Stack:
    options = parser(
        "python -m local.stack.demo",
        "Starts GoalStream, replays the World Cup final of 2022, shows its highlights, stops.",
        os.environ,
    ).parse_args()
    return Stack(
        options.state / "demo",
        events_port=_port(console, options.events_port),
        highlights_port=_port(console, options.highlights_port),
        kafka_port=options.kafka_port or 0,
        # What is in the database already would be READY before the replay.
        fresh=True,
        say=lambda line: console.out(line, highlight=False),
    )


def _port(console: Console, wanted: int) -> int:
    with suppress(PermissionError):
        if is_free(wanted):
            return wanted
    console.out(f"Port {wanted} cannot be had; the demo takes another.", highlight=False)
    return 0


def _title(match: Match) -> str:
    day = f"{match.date:%d %B %Y}"
    return f"{match.competition}, {day}: {fixture(match)}, {SPEED:g} times as fast"


async def _replay(stack: Stack, match: Match, shown: Board) -> Report:
    """Replay a match and show each of its highlights at the moment when it is READY."""
    async with connect(stack.highlights_url) as http, asyncio.TaskGroup() as followers:
        return await replay(
            [match],
            events_url=stack.events_url,
            highlights_url=stack.highlights_url,
            speed=SPEED,
            on_accepted=lambda accepted: followers.create_task(
                _follow(http, f"{stack.highlights_url}/highlights/{accepted.highlight_id}", shown)
            ),
        )


async def _follow(http: httpx.AsyncClient, url: str, shown: Board) -> None:
    """Ask for a highlight that was just accepted until it is READY, then show it."""
    accepted = time.monotonic()
    while time.monotonic() - accepted < READY_LIMIT_S:
        with suppress(httpx.TransportError):  # it is asked again
            answer = await http.get(url)
            if answer.is_success and (highlight := answer.json())["status"] == "READY":
                shown.add(Row.of(highlight, time.monotonic() - accepted))
                return
        await asyncio.sleep(POLL_S)


if __name__ == "__main__":
    sys.exit(main())
