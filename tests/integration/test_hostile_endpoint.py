"""enrich-batch with an endpoint that is hostile, or away: real workers, a real queue, real HTTP."""

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import httpx
import pytest

from functions.enrich_batch.review import TRIES
from functions.enrich_batch.template.language import LANGUAGES
from local.stack.ports import free_port
from local.stack.stack import Stack
from tests.benchmarks.servers import function
from tests.integration.endpoint_goals import (
    BURST,
    SEED,
    goals,
    record,
    record_in_bursts,
    ungrounded,
)
from tests.integration.test_leases import with_queue_at
from tests.support.drivers.table import Table
from tests.support.length import IS_LONG
from tests.support.servers.model_server import BEHAVIOURS, GOOD, ModelServer
from tests.support.waiting import eventually

GOALS = 3_000 if IS_LONG else 250
LIMIT_S = 600 if IS_LONG else 60
KINDS = ("http", "openai")  # a worker of each
LANES = 4  # of a worker
TIMEOUT_S = 0.5
# At most two bursts wait, and before them each lane has one that it holds already; no lane has one
# for longer than all tries may take. The rest is for a busy machine.
READY_WITHIN_S = (math.ceil(2 * BURST / (LANES * len(KINDS))) + 1) * TRIES * TIMEOUT_S + 5
WATCH = """
    CREATE TABLE written (id uuid NOT NULL, provisional boolean NOT NULL, at timestamptz NOT NULL);
    CREATE TABLE taken (id uuid NOT NULL);
    CREATE FUNCTION note_text() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO written VALUES (NEW.id, NEW.provisional, clock_timestamp());
        RETURN NULL;
    END
    $$;
    CREATE FUNCTION note_lease() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO taken VALUES (NEW.id);
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER text AFTER UPDATE OF title ON highlights FOR EACH ROW
        WHEN (NEW.status = 'READY') EXECUTE FUNCTION note_text();
    CREATE TRIGGER lease AFTER UPDATE OF lease ON highlights FOR EACH ROW
        WHEN (OLD.lease <> NEW.lease) EXECUTE FUNCTION note_lease()
"""
WRITTEN = "SELECT count(*), count(DISTINCT id) FROM written WHERE provisional = :provisional"
TO_READY = """
    SELECT percentile_disc(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (ORDER BY seconds) FROM (
        SELECT extract(epoch FROM min(w.at) - min(h.created_at))::float8 AS seconds
        FROM written AS w JOIN highlights AS h USING (id) GROUP BY id) AS first_texts
"""
BY_WRITER = "SELECT enriched_by, count(*) FROM highlights GROUP BY 1 ORDER BY 1"
BY_CODE = """
    SELECT code, count(*) FROM highlights, json_array_elements_text(refused) AS code
    GROUP BY 1 ORDER BY 2 DESC
"""
UNFINISHED = "SELECT count(*) FROM highlights WHERE status = 'PENDING_AI' OR provisional"


@contextmanager
def worker(stack: Stack, table: Table, kind: str, port: int, **settings: str) -> Iterator[None]:
    """Run enrich-batch in a process of its own, and call it all the time, as twice at once."""
    url = f"http://127.0.0.1:{port}"
    endpoint = {
        "DATABASE_URL": table.url,
        "ENRICHER": kind,
        "ENRICHER_URL": f"{url}/enrich",
        "ENRICHER_API_KEY": "the-key-of-the-endpoint",
        "ENRICHER_SENDS_DESCRIPTION": "true",
        "ENRICHER_TIMEOUT_S": str(TIMEOUT_S),
        "ENRICH_CONCURRENCY": str(LANES),
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_MODEL": "hostile",
    }
    stopping = threading.Event()
    statuses: set[int] = set()

    def call(url: str) -> None:
        with httpx.Client(timeout=60, trust_env=False) as http:
            while not stopping.wait(0.05):
                statuses.add(http.post(url).status_code)

    with function(stack, "enrich_batch", {**endpoint, **settings}) as server:
        callers = [threading.Thread(target=call, args=(server.url,)) for _ in range(2)]
        for each in callers:
            each.start()
        try:
            yield
        finally:
            stopping.set()
            for each in callers:
                each.join()
    assert statuses == {200}


def report(table: Table, server: ModelServer) -> str:
    """Return what was published, why texts were refused, and how the endpoint behaved."""
    by_writer, by_code = (dict(table.run(sql)) for sql in (BY_WRITER, BY_CODE))
    ((to_ready,),) = table.run(TO_READY)
    return (
        f"enriched by {by_writer}; refused for {by_code}; behaviours {dict(server.done)}; "
        f"seconds to READY (median, 99 %, all) {[round(each, 2) for each in to_ready]}, "
        f"bound {READY_WITHIN_S}"
    )


@pytest.mark.parametrize("mode", ["template", pytest.param("wait", marks=pytest.mark.long)])
def test_nothing_that_a_hostile_endpoint_says_is_published_unless_it_is_true(
    stack: Stack, own_table: Table, mode: str
) -> None:
    """In seven languages; every highlight ends, in bounded time, and has one worker at a time."""
    facts = goals(GOALS)
    own_table.run(WATCH)
    settings = {
        "LANGUAGES": " ".join(LANGUAGES),
        "ENRICH_WHILE_AWAY": mode,
        "ENRICH_BACKOFF_S": "0.1",
        "ENRICH_LEASE_S": "12",
    }
    with ModelServer(seed=SEED, latency_s=0.02) as server, ExitStack() as workers:
        port = int(server.url.split(":")[2].split("/")[0])
        for kind in KINDS:
            workers.enter_context(worker(stack, own_table, kind, port, **settings))
        with_queue_at(own_table.url, lambda store: record_in_bursts(store, facts))
        eventually(lambda: own_table.run(UNFINISHED) == [[0]], LIMIT_S)
    told = report(own_table, server)
    print(told)  # noqa: T201 - for who reads the run's output
    assert own_table.statuses() == {"READY": GOALS}, told
    assert ungrounded(own_table, facts, server, LANGUAGES) == [], told
    by_writer = dict(own_table.run(BY_WRITER))
    assert by_writer.keys() == {"template", "http", "model:hostile"}, told
    assert server.done.keys() == set(BEHAVIOURS), told
    assert server.overlaps == 0
    assert own_table.run("SELECT * FROM taken") == []
    for provisional in (True, False):
        ((texts, highlights),) = own_table.run(WRITTEN, provisional=provisional)
        assert texts == highlights
    if mode == "template":
        ((to_ready,),) = own_table.run(TO_READY)
        assert to_ready[-1] < READY_WITHIN_S, told


AWAY_S = 2.0  # of pauses that begin with at most 0.05 s, and double
BACK_WITHIN_S = 15
STATES = "SELECT status, enriched_by, count(*) FROM highlights GROUP BY 1, 2"


@pytest.mark.parametrize(
    ("mode", "meanwhile"), [("template", ["READY", "template"]), ("wait", ["PENDING_AI", None])]
)
def test_goals_while_the_endpoint_is_away_are_enriched_when_it_is_back(
    stack: Stack, own_table: Table, mode: str, meanwhile: list[str | None]
) -> None:
    """Until then they have the template's text within moments, or wait; no attempt is lost."""
    facts = goals(40)
    bursts = [(first, facts[first : first + 10]) for first in range(0, len(facts), 10)]
    port = free_port()  # nothing listens there
    settings = {"ENRICH_WHILE_AWAY": mode, "ENRICH_BACKOFF_S": "0.05"}
    with worker(stack, own_table, "http", port, **settings):
        for first, burst in bursts:
            with_queue_at(own_table.url, partial(record, facts=burst, first=first))
            expected = [[*meanwhile, first + len(burst)]]
            eventually(partial(has, own_table, expected), within_s=2)
            threading.Event().wait(AWAY_S / len(bursts))
            assert has(own_table, expected)
        with ModelServer({GOOD: 1}, port=port) as server:
            eventually(partial(has, own_table, [["READY", "http", len(facts)]]), BACK_WITHIN_S)
            assert ungrounded(own_table, facts, server, ("en",)) == []
    assert own_table.run("SELECT DISTINCT attempts FROM highlights") == [[1]]


def has(table: Table, states: Sequence[Sequence[object]]) -> bool:
    """Return whether so many highlights are in these states, and none in another."""
    return table.run(STATES) == [*states]
