"""Reads of a table with millions of highlights: their plans, and their time over HTTP."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from statistics import median
from urllib.parse import urlsplit

from pg8000.native import Connection

from functions.shared.postgres.change_sql import SCANNED
from functions.shared.postgres.connection import connect
from infra.migrate import migrate
from local.stack.stack import Stack
from tests.benchmarks import servers
from tests.benchmarks.result import Result, at_most, interleaved
from tests.benchmarks.scale.queries import FAR_PAGE, FIRST, Places, Query, queries
from tests.benchmarks.scale.rows import fill
from tests.support.drivers.query_plan import QueryPlan, execute

HIGHLIGHTS = 4_000_000
DATABASE = "scale"
LIMIT_S = 900
REQUESTS = 15  # of each query, a round
SIZES = "SELECT pg_table_size('highlights'), pg_indexes_size('highlights')"
ROWS_AIM = 3 * SCANNED  # those of a match's page, or of a look at the feed
SORTED_AIM = 100  # fewer may be cheaper to sort than to read in order
PAGE_AIM = 1.25


def at_scale(stack: Stack, rounds: int, highlights: int = HIGHLIGHTS) -> Iterator[Result]:
    """Each query of the contract by an index, its first page and one far behind, list and feed.

    The table is in a database of its own, which the rounds share.

    Raises:
        RuntimeError: a query scans the table, sorts many rows, or reads far more than it shows.
    """
    url = re.sub(r"/[^/]*$", f"/{DATABASE}", stack.database_url)
    _prepare(stack, url, highlights)
    with (
        closing(connect(url, LIMIT_S)) as connection,
        servers.function(stack, "list_highlights", {"DATABASE_URL": url, "REDIS_URL": ""}) as ours,
    ):
        places = Places.of(connection, highlights)
        asked = list(queries(places))
        plans = {query.name: _plan(connection, query) for query in asked}
        times = _times(ours.url, [query.path for query in asked if query.path], rounds)
        ((table, indexes),) = connection.run(SIZES)
    what = f"{highlights:,} highlights"
    for query in asked:
        yield _result(f"{what}: {query.name}", plans[query.name], times.get(query.path))
    size = (table + indexes) / highlights
    of_indexes = f"{indexes / highlights:,.0f} of them for indexes"
    yield Result(f"{what}: a highlight on disk", f"{size:,.0f} bytes", of_indexes, "", "", True)
    first = times[FIRST]
    for name, path in (
        (f"page {FAR_PAGE:,} by cursor", f"{FIRST}?cursor={places.far}"),
        ("the feed's page", f"{FIRST}?changedSince={places.middle}"),
    ):
        yield at_most(f"{what}: {name}", "µs", times[path], first, "the first page", PAGE_AIM)


def _prepare(stack: Stack, url: str, highlights: int) -> None:
    """Make and fill the database, unless an earlier round has."""
    with closing(connect(stack.database_url, LIMIT_S)) as connection:
        if connection.run("SELECT FROM pg_database WHERE datname = :name", name=DATABASE):
            return
        connection.run(f"CREATE DATABASE {DATABASE}")
    with closing(connect(url, LIMIT_S)) as connection:
        migrate(connection)
        fill(connection, highlights)


def _plan(connection: Connection, query: Query) -> QueryPlan:
    """Return the plan of a query that is executed a second time, and undone each time."""
    for _ in range(2):
        connection.run("BEGIN")
        try:
            plan = execute(connection.run, query.statement, **query.values)
        finally:
            connection.run("ROLLBACK")
    if "Seq Scan" in plan.kinds:
        raise RuntimeError(f"{query.name} scans the table")
    if not query.selects and (plan.rows_read > ROWS_AIM or plan.rows_sorted > SORTED_AIM):
        raise RuntimeError(
            f"{query.name} reads {plan.rows_read:,} rows and sorts {plan.rows_sorted:,}"
        )
    return plan


def _times(url: str, paths: Sequence[str], rounds: int) -> Mapping[str, list[float]]:
    """Return each round's median µs of each path, whose requests take turns with all others'."""
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=LIMIT_S)) as connection:
        medians = [
            interleaved(REQUESTS, *(partial(_request_us, connection, path) for path in paths))
            for _ in range(rounds)
        ]
    return {path: [median(times[at]) for times in medians] for at, path in enumerate(paths)}


def _request_us(connection: HTTPConnection, path: str) -> float:
    began = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    took_s = time.perf_counter() - began
    if response.status != 200:
        raise RuntimeError(f"{path} answers {response.status}: {body!r}")
    return took_s * 1e6


def _result(what: str, plan: QueryPlan, times_us: Sequence[float] | None) -> Result:
    read = f"{plan.rows_read:,} rows read, {plan.blocks:,} blocks"
    over_http = f"{median(times_us) / 1000:.1f} ms over HTTP" if times_us else ""
    names = (name.removeprefix("highlights_") for name in sorted(plan.indexes))
    return Result(what, f"{plan.ms:.2f} ms", ", ".join(names), read, over_http, True)
