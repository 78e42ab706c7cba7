"""Cron: calls functions at the times that a crontab file gives, in UTC.

A line has five fields (minute, hour, day of the month, month, day of the week), or six with
seconds before them; then a name, then the URL to POST to, where `${NAME}` and
`${NAME:-default}` stand for environment variables.
"""

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from croniter import croniter
from croniter.croniter import CroniterError

from functions.shared.logs import configure
from local.environment import substitute

LONGEST_WAIT_S = 60.0  # a clock that was set is noticed after this
QUOTED = 500  # characters of an answer that is no JSON that are logged
LAST_WORDS_S = 1.0

log = logging.getLogger("local.cron")


class CrontabError(Exception):
    """The crontab cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: when to call which URL, and what to call that in the log."""

    schedule: str
    name: str
    url: str

    def next_after(self, moment: datetime) -> datetime:
        """When the line is due first after a moment; raises CroniterError if it never is."""
        times = croniter(self.schedule, moment, ret_type=datetime, second_at_beginning=True)
        due: datetime = times.get_next()
        return due


def parse(text: str, environ: Mapping[str, str]) -> list[Line]:
    """Read a crontab; raises CrontabError at the first line that is wrong."""
    lines: list[Line] = []
    for number, content in enumerate(text.splitlines(), start=1):
        if content.strip() and not content.lstrip().startswith("#"):
            try:
                lines.append(_line(content.split(), environ))
            except (CroniterError, httpx.InvalidURL, ValueError) as error:
                raise CrontabError(f"line {number}: {error}") from error
    if not lines:
        raise CrontabError("it has no line that calls anything")
    return lines


def _line(words: Sequence[str], environ: Mapping[str, str]) -> Line:
    if len(words) not in {7, 8}:
        raise ValueError(
            f"has {len(words)} words, and not five or six fields of time, a name and a URL"
        )
    *fields, name, address = words
    line = Line(" ".join(fields), name, substitute(address, environ))
    url = httpx.URL(line.url)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"{line.url!r} is no http:// or https:// address")
    line.next_after(datetime.now(UTC))
    return line


def keep_calling(
    line: Line,
    call: Callable[[Line], None],
    now: Callable[[], datetime],
    wait: Callable[[float], bool],
) -> None:
    """Call a line whenever it is due, one call at a time; what is overdue by then is skipped.

    `wait` waits for some seconds, or less if this is to stop, and says whether it is.
    """
    while True:
        due = line.next_after(now())
        while (left_s := (due - now()).total_seconds()) > 0:
            if wait(min(left_s, LONGEST_WAIT_S)):
                return
            due = min(due, line.next_after(now()))
        call(line)


def post(client: httpx.Client, line: Line) -> None:
    """Make one call and log its outcome."""
    began = time.monotonic()
    fields: dict[str, object] = {"name": line.name}
    level = logging.WARNING
    try:
        response = client.post(line.url)
    except httpx.HTTPError as error:
        fields["error"] = str(error) or type(error).__name__
    else:
        fields |= {"status": response.status_code, "answer": _content(response)}
        level = logging.INFO if response.is_success else logging.WARNING
    fields["duration_ms"] = round((time.monotonic() - began) * 1000)
    log.log(level, "called", extra={"fields": fields})


def _content(response: httpx.Response) -> object:
    try:
        return response.json()
    except ValueError:
        return response.text[:QUOTED]


def run(lines: Sequence[Line], timeout_s: float) -> None:
    """Call all lines, each in a thread of its own, until SIGTERM or SIGINT."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    # An idle connection would be closed by the server at the very moment of the next call.
    limits = httpx.Limits(max_keepalive_connections=0)
    client = httpx.Client(timeout=timeout_s, limits=limits, trust_env=False)
    threads = [
        threading.Thread(
            target=keep_calling,
            args=(line, lambda line: post(client, line), lambda: datetime.now(UTC), stopping.wait),
            daemon=True,
        )
        for line in lines
    ]
    for thread in threads:
        thread.start()
    log.info("cron runs", extra={"fields": {"lines": [line.name for line in lines]}})
    stopping.wait()
    deadline = time.monotonic() + LAST_WORDS_S
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 2 when the crontab cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m local.cron", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", type=Path, metavar="FILE", help="the crontab")
    parser.add_argument(
        "--timeout", type=float, default=30, metavar="S", help="seconds for a call (default: 30)"
    )
    options = parser.parse_args(arguments)
    try:
        lines = parse(options.file.read_text(encoding="utf-8"), os.environ)
    except (CrontabError, OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        sys.stderr.write(f"{options.file}: {reason}\n")
        return 2
    configure("cron")
    run(lines, options.timeout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
