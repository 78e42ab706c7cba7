"""Calling the function of each job whenever it is due, in a thread for each job."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from local.cron.crontab import Job
from local.cron.job_monitor import JobMonitor
from local.cron.metrics import Metrics

MAX_WAIT_S = 60.0  # after which a change of the clock is noticed
QUOTED = 500  # characters of a response that is not JSON that are logged

log = logging.getLogger("local.cron")


class JobThread(threading.Thread):
    """Calls one job whenever it is due, until `stopping` is set; a call may take `timeout_s`."""

    def __init__(
        self,
        job: Job,
        client: httpx.Client,
        timeout_s: float,
        metrics: Metrics,
        stopping: threading.Event,
    ) -> None:
        super().__init__(name=f"job-{job.name}", daemon=True)
        self.monitor = JobMonitor(job.name, timeout_s, self.is_alive)
        self._job = job
        self._client = client
        self._metrics = metrics
        self._stopping = stopping
        metrics.initialise(job.name)

    def run(self) -> None:
        """Call the job whenever it is due, until it is to stop."""
        call_when_due(self._job, self._call, lambda: datetime.now(UTC), self._stopping.wait)

    def _call(self, job: Job) -> None:
        self.monitor.begin()
        status = post(self._client, job)
        self._metrics.count(job.name, status, self.monitor.end())


def call_when_due(
    job: Job,
    call: Callable[[Job], None],
    now: Callable[[], datetime],
    wait: Callable[[float], bool],
) -> None:
    """Call a job whenever it is due, one call at a time; what becomes due meanwhile is skipped.

    `wait` waits up to a number of seconds, and returns whether to stop.
    """
    while True:
        due = job.next_after(now())
        while (left_s := (due - now()).total_seconds()) > 0:
            if wait(min(left_s, MAX_WAIT_S)):
                return
            due = min(due, job.next_after(now()))
        call(job)


def post(client: httpx.Client, job: Job) -> int | None:
    """Make one call and log its outcome; return the status of the response, if there was one."""
    began = time.monotonic()
    fields: dict[str, object] = {"name": job.name}
    level, status = logging.WARNING, None
    try:
        response = client.post(job.url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
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
