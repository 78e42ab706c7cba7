"""Reading a crontab.

A line has five fields (minute, hour, day of the month, month, day of the week), or six with
seconds before them; then a name, then the URL to POST to, where `${NAME}` and
`${NAME:-default}` stand for environment variables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from croniter import croniter
from croniter.croniter import CroniterError

from local.process.substitution import substitute
from local.process.urls import http_url


class CrontabError(Exception):
    """The crontab cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Job:
    """One line of a crontab: the schedule, the name in the log and in metrics, the URL to call."""

    schedule: str
    name: str
    url: str

    def next_after(self, time: datetime) -> datetime:
        """Return the first time after `time` at which the job is due.

        Raises:
            CroniterError: it is never due.
        """
        times = croniter(self.schedule, time, ret_type=datetime, second_at_beginning=True)
        due: datetime = times.get_next()
        return due


def parse(text: str, environ: Mapping[str, str]) -> list[Job]:
    """Read a crontab.

    Raises:
        CrontabError: a line is wrong, or there is none.
    """
    jobs: list[Job] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                jobs.append(_job(line.split(), environ))
            except (CroniterError, ValueError) as error:
                raise CrontabError(f"line {number}: {error}") from error
    if not jobs:
        raise CrontabError("it has no line that calls anything")
    return jobs


def _job(words: Sequence[str], environ: Mapping[str, str]) -> Job:
    if len(words) not in {7, 8}:
        raise ValueError(
            f"has {len(words)} words, and not five or six fields of time, a name and a URL"
        )
    *fields, name, url = words
    job = Job(" ".join(fields), name, http_url(substitute(url, environ)))
    job.next_after(datetime.now(UTC))
    return job
