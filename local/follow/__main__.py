"""`python -m local.follow`: see `--help`."""

import asyncio
import json
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import aclosing

from local.follow.arguments import filters, parser
from local.follow.client import HighlightsFollower, Reset
from local.follow.highlight_line import highlight_line
from local.follow.responses import RefusedError
from local.process.console import StdoutConsole, stdout_console
from local.replay.run import ProxyError, connect

DONE, REFUSED, INTERRUPTED = 0, 2, 130  # exit statuses


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the arguments `argv`; return its exit status."""
    options = parser(os.environ).parse_args(argv)
    try:
        asyncio.run(_follow(options, stdout_console()))
    except (RefusedError, ProxyError) as error:
        _print_state(str(error))
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


async def _follow(options: Namespace, console: StdoutConsole) -> None:
    """Print what changes, until nobody reads it any more."""
    async with connect(options.highlights_url, api_key=options.api_key) as http:
        follower = HighlightsFollower(
            http,
            options.highlights_url,
            filters(options),
            cursor=options.since,
            poll_s=options.poll,
            on_state=_print_state,
        )
        try:
            async with aclosing(follower.changes()) as changes:
                async for change in changes:
                    if not isinstance(change, Reset):
                        line = json.dumps(change) if options.json else highlight_line(change)
                        console.print_line(line)
                    if console.quiet:
                        return
        finally:
            if follower.cursor is not None:
                _print_state(f"--since {follower.cursor} goes on from here")


def _print_state(text: str) -> None:
    sys.stderr.write(f"follow: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
