"""The command line of the replay tool."""

import argparse
import math
from collections.abc import Mapping
from pathlib import Path

from local.process.arguments import at_least_zero, http_url, positive_integer, seconds
from local.replay.run import DEFAULT_SPEED

SAMPLE = Path(__file__).parent.parent / "samples" / "worldcup_2022.json"
EXIT_STATUSES = """\
exit status: 0 every goal has its READY highlight, 1 something is missing, 2 nothing was begun:
a wrong argument or file, or a service that does not answer

GOALSTREAM_API_KEY is sent with every request, to services that ask for a key.

for example:
  python -m local.replay --match "argentina france"         the final of 2022 in 9 s
  python -m local.replay --speed max                        all 64 matches at once
  python -m local.replay --speed max --times 3 --shuffle 1  thrice and out of order: no change"""


def parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return the parser; GOALSTREAM_EVENTS_PORT and _HIGHLIGHTS_PORT change its default URLs.

    `api_key` is the value of GOALSTREAM_API_KEY and no argument, since everybody on a machine can
    list the arguments of its processes.
    """
    made = argparse.ArgumentParser(
        prog="python -m local.replay",
        description="Replays real matches: posts each goal and kick as a live feed would, "
        "and reads the highlights back.",
        epilog=EXIT_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_selection(made)
    _add_pace(made)
    _add_urls(made, environ)
    made.set_defaults(api_key=environ.get("GOALSTREAM_API_KEY", "").strip() or None)
    return made


def _add_selection(made: argparse.ArgumentParser) -> None:
    add = made.add_argument
    add(
        "file",
        metavar="FILE",
        type=Path,
        nargs="?",
        default=SAMPLE,
        help="matches in openfootball's JSON, or as JSON Lines with the kicks of shoot-outs too "
        "(default: the World Cup 2022)",
    )
    add(
        "--match",
        metavar="TEXT",
        action="append",
        default=[],
        help="only matches whose teams contain these words, such as 'argentina france'; "
        "may be given several times",
    )
    instead = made.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="list the matches and their goals")
    instead.add_argument(
        "--dry-run", action="store_true", help="print the events as JSON lines and post nothing"
    )


def _add_pace(made: argparse.ArgumentParser) -> None:
    add = made.add_argument
    add(
        "--speed",
        metavar="N",
        type=_speed,
        default=DEFAULT_SPEED,
        help="match time over real time: 60 is a match minute a second, max (or 0) as fast as "
        f"answers come (default: {DEFAULT_SPEED:g}); matches kick off together",
    )
    add("--times", metavar="N", type=positive_integer, default=1, help="post each goal N times")
    add(
        "--shuffle",
        metavar="SEED",
        type=int,
        help="post in a random order, the same for the same SEED, without a match clock",
    )
    add(
        "--patience",
        metavar="S",
        type=seconds,
        default=60.0,
        help="seconds to try one goal again while the service is away or busy (default: 60)",
    )
    add(
        "--wait",
        metavar="S",
        type=seconds,
        default=30.0,
        help="seconds to wait at the end for highlights to become READY (default: 30)",
    )


def _add_urls(made: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    for name, path, port in (("events", "/events", "5001"), ("highlights", "/highlights", "5002")):
        port = environ.get(f"GOALSTREAM_{name.upper()}_PORT") or port
        made.add_argument(
            f"--{name}-url",
            metavar="URL",
            type=_url,
            default=f"http://localhost:{port}",
            help=f"where {path} is (default: %(default)s)",
        )


def _speed(text: str) -> float:
    if text.casefold() == "max":
        return math.inf
    return at_least_zero(text, "'max' or a number, 0 or more") or math.inf


def _url(text: str) -> str:
    return http_url(text).rstrip("/")
