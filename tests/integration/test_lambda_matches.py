"""All matches of 2022 through Lambda's events, with Lambda's retries and duplicates."""

import asyncio
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

from functions.shared.contract.topics import HIGHLIGHTS_PENDING, MATCH_EVENTS
from local.replay.arguments import SAMPLE
from local.replay.openfootball import read
from local.replay.report import Report
from local.replay.run import Options, replay
from local.stack.stack import Stack
from local.supervisor import Process
from tests.support.builders.lambda_events import SCHEDULE
from tests.support.drivers.api_gateway import ApiGateway
from tests.support.drivers.broker import Broker
from tests.support.drivers.event_source import EventSource
from tests.support.drivers.lambda_runtime import FunctionError
from tests.support.drivers.lambdas import Lambdas, running_lambdas
from tests.support.drivers.table import Table
from tests.support.tournament import GOALS_OF_2022

GARBAGE = (b"goal!", b'{"matchId": 1}')
STOPPED_AFTER = 4  # events of records


def test_all_matches_of_2022_make_172_ready_highlights(
    quiet_stack: Stack, table: Table, broker: Broker, tmp_path: Path
) -> None:
    """Even if events come twice, some records are rejected, and the database stops."""
    with (
        running_lambdas(quiet_stack, broker, tmp_path) as lambdas,
        lambdas.source(MATCH_EVENTS, is_doubled=lambda event: event % 3 == 0) as events,
        lambdas.source(HIGHLIGHTS_PENDING, is_doubled=lambda event: event % 5 == 0) as pending,
    ):
        for each in GARBAGE:
            broker.write(MATCH_EVENTS, [each], partition=2)
        with at_work(lambdas, events, pending, quiet_stack.processes["postgres"]):
            report = replayed(lambdas)
    assert (report.ready, report.missing, report.unexpected) == (GOALS_OF_2022, {}, set())
    assert table.statuses() == {"READY": GOALS_OF_2022}
    assert [partition for partition, _ in events.given_up] == [2] * len(GARBAGE)
    assert events.partly_failed >= len(GARBAGE)
    assert any("503" in error for error in events.errors)


@contextmanager
def at_work(
    lambdas: Lambdas, events: EventSource, pending: EventSource, database: Process
) -> Iterator[None]:
    """Run event sources and a schedule during the block; the database is down for a moment."""
    is_over = Event()

    def work() -> None:
        while not is_over.is_set():
            if events.events == STOPPED_AFTER and not events.errors:
                database.stop()
            elif events.errors:
                database.start()
            if not events.run() | pending.run():
                with suppress(FunctionError):  # while the database is away
                    lambdas.functions["enrich_batch"].invoke(SCHEDULE)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            yield
        finally:
            is_over.set()
        working.result()


def replayed(lambdas: Lambdas) -> Report:
    """Replay through API Gateway's events; return the report."""
    url = "https://api.example"
    made = replay(
        read(SAMPLE), Options(url, url, speed=math.inf, wait_s=90),
        transport=ApiGateway(lambdas.functions),
    )  # fmt: skip
    return asyncio.run(made)
