"""Several workers on one queue, and a worker that is killed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from local.stack import ROOT
from tests.integration.test_leases import put
from tests.support.drivers.table import Table
from tests.support.length import IS_LONG
from tests.support.waiting import eventually

ROWS = 20_000 if IS_LONG else 2_000
LIMIT_S = 120
LEASE_S = 3
PATIENT = {"ENRICH_LEASE_S": str(LEASE_S), "ENRICH_TIMEOUT_S": "2.9"}
LEASED = "SELECT count(*) FROM highlights WHERE status = 'PENDING_AI' AND lease IS NOT NULL"
COUNT_CHANGES = """
    CREATE TABLE written (id uuid NOT NULL);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO written VALUES (NEW.id);
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER note AFTER UPDATE OF title ON highlights FOR EACH ROW
        WHEN (NEW.status = 'READY') EXECUTE FUNCTION note()
"""


@contextmanager
def worker(url: str, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run a worker in a process of its own, which is gone afterwards."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.enrichment_worker", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "DATABASE_POOL_SIZE": "2", **settings},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def finished(process: subprocess.Popen[str]) -> int:
    """Wait for the end of a worker; return how many highlights it made READY."""
    output, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0
    return sum(json.loads(line)["ready"] for line in output.splitlines())


@pytest.mark.parametrize(
    "workers",
    [2, pytest.param(4, marks=pytest.mark.long), pytest.param(8, marks=pytest.mark.long)],
)
def test_workers_share_the_queue_and_write_each_text_once(own_table: Table, workers: int) -> None:
    """Each highlight is claimed by one of them, and all are READY in the end."""
    own_table.run(COUNT_CHANGES)
    put(own_table, ROWS)
    with ExitStack() as stack:
        running = [stack.enter_context(worker(own_table.url)) for _ in range(workers)]
        ready = [finished(each) for each in running]
    assert sum(ready) == ROWS
    assert own_table.statuses() == {"READY": ROWS}
    assert own_table.run("SELECT count(*), count(DISTINCT id) FROM written") == [[ROWS, ROWS]]
    assert own_table.run("SELECT DISTINCT attempts FROM highlights") == [[1]]


@pytest.mark.parametrize(("held", "arguments"), [(100, ()), (4, ("--answer-s", "0.1"))])
def test_what_a_killed_worker_held_is_ready_within_twice_the_lease(
    own_table: Table, held: int, arguments: tuple[str, ...]
) -> None:
    """By the template, and by a model; it has cost each highlight one attempt."""
    settings = {**PATIENT, "ENRICH_CONCURRENCY": str(held)}
    put(own_table, held)
    with worker(own_table.url, "--answer-s", "30", **settings) as killed:
        eventually(lambda: own_table.run(LEASED) == [[held]])
        with worker(own_table.url, "--forever", *arguments, **settings) as other:
            assert other.stdout
            assert json.loads(other.stdout.readline())["remaining"] == held
            killed.kill()
            eventually(lambda: own_table.statuses() == {"READY": held}, within_s=2 * LEASE_S)
    assert own_table.run("SELECT DISTINCT attempts FROM highlights") == [[2]]


def test_a_worker_that_is_killed_while_it_works_takes_nothing_with_it(own_table: Table) -> None:
    """The other has all the rest within twice the lease, and writes nothing a second time.

    A batch is to the lease what it is by default: what may have crashed a worker is tried alone.
    """
    count, batch = 2_000, 50
    own_table.run(COUNT_CHANGES)
    put(own_table, count)
    settings = {**PATIENT, "ENRICH_BATCH_SIZE": str(batch)}
    with (
        worker(own_table.url, "--forever", **settings) as killed,
        worker(own_table.url, "--forever", **settings),
    ):
        eventually(lambda: "READY" in own_table.statuses())
        killed.kill()
        eventually(lambda: own_table.statuses() == {"READY": count}, within_s=2 * LEASE_S)
    assert own_table.run("SELECT count(*), count(DISTINCT id) FROM written") == [[count, count]]
    assert own_table.run("SELECT count(*) FROM highlights WHERE attempts > 1")[0][0] <= batch


def test_a_lease_is_held_for_as_long_as_a_slow_model_works(own_table: Table) -> None:
    """Three tries, each nearly as long as a lease; another worker gets nothing meanwhile."""
    put(own_table)
    settings = {"ENRICH_LEASE_S": "0.6", "ENRICH_TIMEOUT_S": "0.59"}
    with worker(own_table.url, "--answer-s", "0.5", "--refuse", **settings) as slow:
        eventually(lambda: own_table.run(LEASED) == [[1]])
        with worker(own_table.url, "--answer-s", "0", **settings) as other:
            assert finished(slow) == 1
            assert finished(other) == 0
    assert own_table.run("SELECT attempts, enriched_by, refused FROM highlights") == [
        [1, "template", ["no_text"]]
    ]
