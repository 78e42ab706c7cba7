"""Calling a line's function whenever it is due."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

import httpx

from local.cron.crontab import Line

LONGEST_WAIT_S = 60.0  # a clock that was set is noticed after this
QUOTED = 500  # characters of an answer that is no JSON that are logged

log = logging.getLogger("local.cron")


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


def post(client: httpx.Client, line: Line) -> int | None:
    """Make one call and log its outcome; returns the status of its answer, if there was one."""
    began = time.monotonic()
    fields: dict[str, object] = {"name": line.name}
    level, status = logging.WARNING, None
    try:
        response = client.post(line.url)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # a host that is no name
        fields["error"] = str(error) or type(error).__name__
    else:
        status = response.status_code
        fields |= {"status": status, "answer": _content(response)}
        level = logging.INFO if response.is_success else logging.WARNING
    fields["duration_ms"] = round((time.monotonic() - began) * 1000)
    log.log(level, "called", extra={"fields": fields})
    return status


def _content(response: httpx.Response) -> object:
    try:
        return response.json()
    except ValueError:
        return response.text[:QUOTED]
