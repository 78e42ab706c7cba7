"""Reading a crontab.

A line has five fields (minute, hour, day of the month, month, day of the week), or six with
seconds before them; then a name, then the URL to POST to, where `${NAME}` and
`${NAME:-default}` stand for environment variables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from croniter import croniter
from croniter.croniter import CroniterError

from local.process.substitution import substitute


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
