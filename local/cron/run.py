"""Running the jobs of a crontab, each in a thread of its own, beside the probes."""

import argparse
import logging
import threading
import time
from collections.abc import Sequence
from functools import partial

import httpx
from prometheus_client import CollectorRegistry

from local.cron.crontab import Job
from local.cron.job_monitor import health
from local.cron.jobs import JobThread
from local.cron.metrics import Metrics
from local.process import probes
from local.process.probes import Endpoints, ProbeResult, exposition

SHUTDOWN_GRACE_S = 1.0  # for calls that are about to end

log = logging.getLogger("local.cron")


def run(
    jobs: Sequence[Job],
    registry: CollectorRegistry,
    options: argparse.Namespace,
    stopping: threading.Event,
) -> None:
    """Call all jobs when they are due, until `stopping` is set.

    Raises:
        CannotListen: the port of the probes is taken.
    """
    if stopping.is_set():  # while the program was loaded
        return
    logging.getLogger("httpx").setLevel(logging.WARNING)
    threads = _threads(jobs, options.timeout, Metrics(registry), stopping)
    monitors = [thread.monitor for thread in threads]
    names = [job.name for job in jobs]
    endpoints = Endpoints(
        health=lambda: health(monitors),
        ready=lambda: ProbeResult(not stopping.is_set(), {"lines": names}),
        metrics=partial(exposition, registry),
    )
    server = probes.serve(endpoints, options.host, options.port)
    for thread in threads:
        thread.start()
    with server:
        log.info("cron runs", extra={"fields": {"lines": names}})
        stopping.wait()
        deadline = time.monotonic() + SHUTDOWN_GRACE_S
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))


def _threads(
    jobs: Sequence[Job], timeout_s: float, metrics: Metrics, stopping: threading.Event
) -> list[JobThread]:
    # The server would close an idle connection at the very moment of the next call.
    limits = httpx.Limits(max_keepalive_connections=0)
    client = httpx.Client(timeout=timeout_s, limits=limits, trust_env=False)
    return [JobThread(job, client, timeout_s, metrics, stopping) for job in jobs]
