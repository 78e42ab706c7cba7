"""The command line of the replay tool."""

import argparse
import math
from collections.abc import Mapping
from pathlib import Path

import httpx

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

    The key of GOALSTREAM_API_KEY comes along as `api_key`: the list of processes that everybody
    can see shows arguments.
    """
    made = argparse.ArgumentParser(
        prog="python -m local.replay",
        description="Replays real matches: posts each goal and kick as a live feed would, "
        "and reads the highlights back.",
        epilog=EXIT_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_what(made)
    _add_how(made)
    _add_where(made, environ)
    made.set_defaults(api_key=environ.get("GOALSTREAM_API_KEY", "").strip() or None)
    return made


def _add_what(made: argparse.ArgumentParser) -> None:
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


def _add_how(made: argparse.ArgumentParser) -> None:
    add = made.add_argument
    add(
        "--speed",
        metavar="N",
        type=_speed,
        default=DEFAULT_SPEED,
        help="match time over real time: 60 is a match minute a second, max (or 0) as fast as "
        f"answers come (default: {DEFAULT_SPEED:g}); matches kick off together",
    )
    add("--times", metavar="N", type=_times, default=1, help="post each goal N times")
    add(
        "--shuffle",
        metavar="SEED",
        type=int,
        help="post in a random order, the same for the same SEED, without a match clock",
    )
    add(
        "--patience",
        metavar="S",
        type=_seconds,
        default=60.0,
        help="seconds to try one goal again while the service is away or busy (default: 60)",
    )
    add(
        "--wait",
        metavar="S",
        type=_seconds,
        default=30.0,
        help="seconds to wait at the end for highlights to become READY (default: 30)",
    )


def _add_where(made: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
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
    return _number(text, "'max' or a number, 0 or more") or math.inf


def _seconds(text: str) -> float:
    return _number(text, "a number of seconds, 0 or more")


def _times(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number, 1 or more")
    return int(text)


def _number(text: str, wanted: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not number >= 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not {wanted}")
    return number


def _url(text: str) -> str:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a URL: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise argparse.ArgumentTypeError(f"'{text}' is not a URL such as http://localhost:5001")
    return text.rstrip("/")
