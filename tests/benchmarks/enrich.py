"""From PENDING_AI to READY: rows per second of one and of two workers, and the time of a claim."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

import httpx
import orjson
from pg8000.native import Connection

from functions.consume_goal.revisions import revision_of
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.connection import connect
from functions.shared.postgres.highlight_sql import CLAIM, RECORD
from local.stack.stack import Stack
from local.supervisor import Process
from tests.benchmarks import servers
from tests.benchmarks.ingest import alone
from tests.benchmarks.process_tree import cpu_s
from tests.benchmarks.result import Result, at_least, interleaved
from tests.benchmarks.table import RAW_BATCH, goals
from tests.support.builders.revisions import RULES

ROWS = 40_000
COPIES = 5  # of what is done, which makes 200,000
GOAL_EVERY = timedelta(milliseconds=20)
CLAIMS = 30
CLAIMED = 100
LIMIT_S = 120
RATE_AIM = 10_000
TWO_AIM = 1.6
CLAIM_AIM = 1.2

COPY_DONE = """
    INSERT INTO highlights SELECT copy.* FROM highlights AS h, generate_series(1, :copies) AS n,
        json_populate_record(h, json_build_object(
            'id', gen_random_uuid(), 'event_id', n,
            'occurred_at', h.occurred_at - n * interval '1 hour',
            'updated_at', h.updated_at - n * interval '1 hour')) AS copy
    ORDER BY copy.occurred_at
"""


@dataclass(frozen=True)
class Round:
    """The figures of one round: rows a second, and microseconds and bytes for each row."""

    rate: float
    function_us: float
    postgres_us: float
    wal: float


def enrichment(stack: Stack, rounds: int) -> Iterator[Result]:
    """Enrich with the template's texts, over HTTP as the trigger does, beside 200,000 done rows."""
    connection = connect(stack.database_url, timeout_s=LIMIT_S)
    with alone(stack), servers.function(stack, "enrich_batch") as second:
        watched = [stack.processes["enrich_batch"], second.process, stack.processes["postgres"]]
        urls = [stack.functions["enrich_batch"].url, second.url]
        connection.run("TRUNCATE highlights")
        _record(connection)
        few = _claim_ms(connection)
        _drain(urls[0])
        connection.run(COPY_DONE, copies=COPIES)
        measure = _measure(connection, watched)
        _record(connection)
        many = _claim_ms(connection)
        _drain(urls[0])
        one, two = interleaved(rounds, lambda: measure(urls[:1]), lambda: measure(urls))
        connection.run("TRUNCATE highlights")
    connection.close()
    yield from _results(one, two, few, many)


def _results(
    one: Sequence[Round], two: Sequence[Round], few_ms: float, many_ms: float
) -> Iterator[Result]:
    rate = median(each.rate for each in one)
    figure = f"{rate:,.0f} rows/s"
    yield Result(
        "enrichment, a worker", figure, "", figure, f"≥ {RATE_AIM:,} rows/s", rate >= RATE_AIM
    )
    yield at_least(
        "enrichment, two workers",
        "rows/s",
        [each.rate for each in two],
        [each.rate for each in one],
        "one worker",
        TWO_AIM,
    )
    for workers, rounds in (("a worker", one), ("two workers", two)):
        function, postgres = (
            f"{median(getattr(each, name) for each in rounds):.0f} µs, {name.partition('_')[0]}"
            for name in ("function_us", "postgres_us")
        )
        wal = f"{median(each.wal for each in rounds):,.0f} bytes of WAL"
        yield Result(
            f"enrichment, a row's processor time, {workers}", function, postgres, wal, "", True
        )
    growth = many_ms / few_ms
    yield Result(
        f"a claim of {CLAIMED} beside {ROWS * COPIES:,} done rows",
        f"{many_ms:.1f} ms",
        f"{few_ms:.1f} ms beside none",
        f"{growth:.2f} ×",
        f"≤ {CLAIM_AIM:g} ×",
        growth <= CLAIM_AIM,
    )


def _record(connection: Connection) -> None:
    """Put ROWS highlights into the queue, and vacuum before the measurement.

    A goal comes 20 ms after the one before, so that indexes by time grow at their end.
    """
    now = datetime.now(UTC)
    rows = [
        {
            **revision_of(event, ReceivedRecord(None, None, None), RULES).to_row(),
            "occurred_at": now + number * GOAL_EVERY,
        }
        for number, event in enumerate(goals(ROWS))
    ]
    for at in range(0, ROWS, RAW_BATCH):
        connection.run(RECORD, rows=orjson.dumps(rows[at : at + RAW_BATCH]).decode())
    connection.run("VACUUM ANALYZE highlights")
    connection.run("CHECKPOINT")


def _claim_ms(connection: Connection) -> float:
    """Return the median time of claims, each undone so that the next finds the same, in ms."""
    claim = connection.prepare(CLAIM)
    times = []
    for _ in range(CLAIMS):
        connection.run("BEGIN")
        began = time.perf_counter()
        claim.run(limit=CLAIMED, lease_s=LIMIT_S, ahead_s=LIMIT_S)
        times.append(time.perf_counter() - began)
        connection.run("ROLLBACK")
    claim.close()
    return median(times) * 1000


def _drain(url: str) -> int:
    """Call a worker until nothing is left; return how many highlights it made READY."""
    ready, remaining = 0, True
    while remaining:
        tally = httpx.post(url, timeout=LIMIT_S).raise_for_status().json()
        ready += tally["ready"]
        remaining = tally["claimed"] and tally["remaining"]
    return ready


def _measure(
    connection: Connection, watched: Sequence[Process]
) -> Callable[[Sequence[str]], Round]:
    def measure(urls: Sequence[str]) -> Round:
        _record(connection)
        before, wal, began = (
            [cpu_s(each) for each in watched],
            _wal(connection),
            time.perf_counter(),
        )
        with ThreadPoolExecutor(len(urls)) as pool:
            done = sum(pool.map(_drain, urls))
        took_s = time.perf_counter() - began
        *workers, postgres = (
            (cpu_s(each) - its) / done * 1e6 for each, its in zip(watched, before, strict=True)
        )
        return Round(done / took_s, sum(workers), postgres, (_wal(connection) - wal) / done)

    return measure


def _wal(connection: Connection) -> float:
    ((position,),) = connection.run("SELECT (pg_current_wal_lsn() - '0/0')::float8")
    return float(position)
