"""Each way to list is served by an index, on a table of 100,000 rows."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from functions.list_highlights.query import PAGE_SIZE, Query, parse_query
from functions.shared.postgres.change_sql import SCANNED, changes_statement
from functions.shared.postgres.highlight_sql import (
    CLAIM,
    CLAIM_CRASHED,
    CLAIM_CRASHED_PROVISIONAL,
    CLAIM_PROVISIONAL,
    CORRECTED,
    COUNT_PENDING,
    GET,
    PROLONG,
    list_statement,
)
from functions.shared.postgres.match_sql import matches_statement
from local.stack.stack import Stack
from tests.integration.test_leases import put
from tests.support.drivers.query_plan import execute, explain
from tests.support.drivers.table import Table

MATCH = UUID(int=7)
CLAIMED = {"limit": 100, "lease_s": 30.0, "ahead_s": 64.0}
AFTER = "cursor=MjAyNS0wMS0wMVQwMDowMDowMFovMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDA3"

# A thousand matches of a hundred goals; one in a hundred awaits its text, as many are retracted,
# as many make no highlight. A type, a side and a team that are asked for are rare.
FILL = """
    INSERT INTO highlights (id, match_id, event_id, revision, retracted, occurred_at, event_type,
                            side, team_key, player, status, available_at,
                            updated_at)
    SELECT md5(n::text)::uuid, lpad(to_hex(n % 1000), 32, '0')::uuid, n::text, 0, false,
           timestamptz '2025-01-01' + n * interval '1 minute',
           CASE n % 200 WHEN 5 THEN 'own_goal' ELSE 'goal' END,
           CASE n % 200 WHEN 7 THEN 'home' WHEN 8 THEN 'away' END, 'team ' || n % 200, 'Player',
           CASE n % 100 WHEN 1 THEN 'PENDING_AI' WHEN 2 THEN 'RETRACTED'
                WHEN 3 THEN 'IGNORED' ELSE 'READY' END,
           now() - interval '1 day', timestamptz '2025-01-01' + n * interval '1 minute'
    FROM generate_series(1, 100000) AS n
"""

NTH_CHANGE = """
    SELECT change_xid::text, id FROM highlights WHERE status <> 'IGNORED'
    ORDER BY change_xid, id OFFSET :offset LIMIT 1
"""

DONE = """
    INSERT INTO highlights (id, match_id, event_id, revision, retracted, occurred_at, event_type,
                            team_key, status, title, summary)
    SELECT gen_random_uuid(), md5((n % 2000)::text)::uuid, n::text, 0, false,
           timestamptz '2025-01-01' + n * interval '1 second', 'goal', 'team ' || n % 200,
           'READY', 'GOAL', 'A goal.'
    FROM generate_series(1, :count) AS n
"""


@pytest.fixture(scope="module")
def full_table(stack: Stack) -> Iterator[Table]:
    """A table of 100,000 highlights, analyzed for the planner."""
    table = Table(stack.database_url)
    table.run("TRUNCATE highlights")
    table.run(FILL)
    table.run("VACUUM ANALYZE highlights")
    yield table
    table.run("TRUNCATE highlights")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "highlights_newest"),
        ("page=3&pageSize=10", "highlights_newest"),
        (AFTER, "highlights_newest"),
        (f"matchId={MATCH}", "highlights_by_match"),
        (f"matchId={MATCH}&status=READY", "highlights_by_match"),
        (f"matchId={MATCH}&{AFTER}", "highlights_by_match"),
        ("status=PENDING_AI", "highlights_by_status"),
        ("status=RETRACTED", "highlights_by_status"),
        ("team=team%207", "highlights_by_team"),
        ("team=home", "highlights_by_side"),
        ("eventType=OWN_GOAL", "highlights_by_event_type"),
        ("updatedSince=2025-03-11T00:00:00Z", "highlights_by_update"),
    ],
)
def test_a_list_is_read_from_its_index(full_table: Table, query: str, index: str) -> None:
    """No list scans the table."""
    parsed = parse_query(query)
    plan = explain(full_table.run, list_statement(parsed.filters), **_values(parsed))
    assert index in plan.indexes
    assert "Seq Scan" not in plan.kinds


@pytest.mark.parametrize(
    ("statement", "values", "one_of"),
    [
        (GET, {"id": MATCH, "lang": "de"}, {"highlights_pkey"}),
        (CLAIM, CLAIMED, {"highlights_to_enrich"}),
        (CLAIM_PROVISIONAL, CLAIMED, {"highlights_to_rewrite"}),
        (CLAIM_CRASHED, CLAIMED, {"highlights_to_enrich"}),
        (CLAIM_CRASHED_PROVISIONAL, CLAIMED, {"highlights_to_rewrite"}),
        (PROLONG, {"id": MATCH, "lease": MATCH, "lease_s": 30.0}, {"highlights_pkey"}),
        (CORRECTED, {"limit": 100}, {"highlights_corrected"}),
        (COUNT_PENDING, {"ahead_s": 64.0}, {"highlights_to_enrich", "highlights_by_status"}),
    ],
)
def test_one_highlight_and_the_queue_are_found_by_index(
    full_table: Table, statement: str, values: dict[str, Any], one_of: set[str]
) -> None:
    """Neither getting a highlight nor claiming some scans the table."""
    plan = explain(full_table.run, statement, **values)
    assert one_of & plan.indexes
    assert "Seq Scan" not in plan.kinds


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "highlights_by_change"),
        ({"match_id": MATCH}, "highlights_of_match_by_change"),
        ({"match_id": MATCH, "event_type": "own_goal"}, "highlights_of_match_by_change"),
        ({"team_key": "team 7"}, "highlights_by_change"),
        ({"side": "home"}, "highlights_by_change"),
        ({"event_type": "own_goal"}, "highlights_by_change"),
    ],
)
@pytest.mark.parametrize("offset", [0, 50_000, 98_000])
def test_the_feed_reads_on_from_any_place_of_a_transaction(
    full_table: Table, filters: dict[str, Any], index: str, offset: int
) -> None:
    """All changes are of one transaction, as after an upgrade; a page reads few, in their order."""
    ((xid, id_),) = full_table.run(NTH_CHANGE, offset=offset)
    place = {"xid": xid, "id": id_, "limit": PAGE_SIZE}
    plan = execute(full_table.run, changes_statement(filters), **filters, **place, lang="de")
    assert index in plan.indexes
    assert "Seq Scan" not in plan.kinds
    assert plan.rows_read < 3 * SCANNED


@pytest.mark.parametrize("names", [(), ("after",), ("match_id",)])
def test_matches_are_listed_by_index(full_table: Table, names: tuple[str, ...]) -> None:
    """A page of them reads the newest highlights, and thrice at most the hundred of each match."""
    ((id_, moment),) = full_table.run(
        "SELECT id, occurred_at FROM highlights ORDER BY occurred_at DESC OFFSET 500 LIMIT 1"
    )
    values = {"match_id": {"match_id": MATCH}, "after": {"after": moment, "after_id": id_}}
    plan = execute(
        full_table.run,
        matches_statement(names),
        **{name: value for key in names for name, value in values[key].items()},
        limit=PAGE_SIZE,
    )
    assert "highlights_by_match" in plan.indexes
    assert "Seq Scan" not in plan.kinds
    assert plan.rows_read < 400 * PAGE_SIZE


def test_a_claim_reads_no_more_beside_ten_times_as_many_done_rows(own_table: Table) -> None:
    """Its cost depends on the claimed rows; only the depth of the indexes grows."""
    few = _blocks_of_a_claim(own_table, done=10_000)
    many = _blocks_of_a_claim(own_table, done=100_000)
    assert many <= 1.5 * few


def _blocks_of_a_claim(table: Table, done: int) -> int:
    """The blocks that a claim of 100 reads, beside so many done rows that are vacuumed."""
    table.run("TRUNCATE highlights")
    table.run(DONE, count=done)
    put(table, 200)
    table.run("VACUUM ANALYZE highlights")
    statement = CLAIM.replace(":limit", "100").replace(":lease_s", "30").replace(":ahead_s", "64")
    plan = execute(table.run, statement)
    assert plan.nodes[0]["Actual Rows"] == 100
    return plan.blocks


def _values(query: Query) -> dict[str, Any]:
    filters = {name: value for name, value in query.filters.items() if name != "not_retracted"}
    return {**filters, "limit": query.page_size + 1, "offset": query.offset, "lang": "de"}
