"""The command line of the follower."""

import argparse
from collections.abc import Mapping
from uuid import UUID

from local.process.arguments import http_url, positive_seconds

POLL_S = 2.0
EPILOG = """\
exit status: 0 nobody reads the output any more, 2 the server refuses the request, 130 Ctrl-C

GOALSTREAM_API_KEY is sent with every request, to services that ask for a key.

for example:
  python -m local.follow --team Argentina              what happens to the goals of a team
  python -m local.follow --since 0 --json | jq .title  all highlights, and then what changes
  python -m local.follow --poll                        where a cloud cannot stream"""


def parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return the parser; GOALSTREAM_HIGHLIGHTS_PORT changes its default URL.

    `filters` maps the query parameters of the filters to their values. `api_key` is the value of
    GOALSTREAM_API_KEY and no argument, since everybody on a machine can list the arguments of its
    processes.
    """
    made = argparse.ArgumentParser(
        prog="python -m local.follow",
        description="Prints the latest highlights, and then each one that appears or changes; "
        "when the line is down it connects again, and misses nothing.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("--match", metavar="UUID", type=_uuid, help="only highlights of this match")
    add("--team", metavar="NAME", help="only those of a team: home, away or its name")
    add("--type", metavar="TYPE", help="only those of this event type, such as own_goal")
    add(
        "--since",
        metavar="CURSOR",
        help="go on from a cursor, such as the one that Ctrl-C shows; 0 is the beginning "
        "(default: from the latest highlights)",
    )
    add(
        "--poll",
        metavar="S",
        type=positive_seconds,
        nargs="?",
        const=POLL_S,
        help="ask the change feed every S seconds instead of the stream "
        f"(default of S: {POLL_S:g})",
    )
    add("--json", action="store_true", help="print each highlight as a line of JSON")
    port = environ.get("GOALSTREAM_HIGHLIGHTS_PORT") or "5002"
    add(
        "--highlights-url",
        metavar="URL",
        type=_url,
        default=f"http://localhost:{port}",
        help="where /highlights is (default: %(default)s)",
    )
    made.set_defaults(api_key=environ.get("GOALSTREAM_API_KEY", "").strip() or None)
    return made


def filters(options: argparse.Namespace) -> dict[str, str]:
    """Return the filters that were given, as query parameters of the REST API."""
    given = {"matchId": options.match, "team": options.team, "eventType": options.type}
    return {name: value for name, value in given.items() if value is not None}


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a UUID") from error


def _url(text: str) -> str:
    return http_url(text).rstrip("/")
