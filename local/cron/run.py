"""Running a crontab's lines, each in a thread of its own, with the probes beside them."""

import argparse
import logging
import threading
import time
from collections.abc import Sequence
from functools import partial

import httpx
from prometheus_client import CollectorRegistry

from local.cron.crontab import Line
from local.cron.line_thread import LineThread
from local.cron.metrics import Metrics
from local.cron.watch import health
from local.process import probe_options
from local.process.exposition import exposition
from local.process.probes import Report, Sources

LAST_WORDS_S = 1.0

log = logging.getLogger("local.cron")


def run(
    lines: Sequence[Line],
    registry: CollectorRegistry,
    options: argparse.Namespace,
    stopping: threading.Event,
) -> None:
    """Call all lines until told to stop; raises CannotListen when it cannot be watched."""
    if stopping.is_set():  # while the program was loaded
        return
    logging.getLogger("httpx").setLevel(logging.WARNING)
    runners = _runners(lines, options.timeout, Metrics(registry), stopping)
    watches = [runner.watch for runner in runners]
    sources = Sources(
        health=lambda: health(watches),
        ready=lambda: Report(not stopping.is_set(), {"lines": [line.name for line in lines]}),
        metrics=partial(exposition, registry),
    )
    probes = probe_options.served(options, sources)
    for runner in runners:
        runner.start()
    with probes:
        log.info("cron runs", extra={"fields": {"lines": [line.name for line in lines]}})
        stopping.wait()
        deadline = time.monotonic() + LAST_WORDS_S
        for runner in runners:
            runner.join(max(deadline - time.monotonic(), 0))


def _runners(
    lines: Sequence[Line], timeout_s: float, metrics: Metrics, stopping: threading.Event
) -> list[LineThread]:
    # An idle connection would be closed by the server at the very moment of the next call.
    limits = httpx.Limits(max_keepalive_connections=0)
    client = httpx.Client(timeout=timeout_s, limits=limits, trust_env=False)
    return [LineThread(line, client, timeout_s, metrics, stopping) for line in lines]
