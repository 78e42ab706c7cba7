"""The SQL of the change feed."""

from collections.abc import Container
from typing import Final

from functions.shared.postgres.highlight_sql import DOCUMENT, FILTERS

# Filters other than that by match have no index in the order of changes: of so many changes those
# are looked for that they select, and the next page goes on behind them.
SCANNED: Final = 10_000
FEED_FILTERS: Final = ("match_id", "side", "team_key", "event_type")

NOW: Final = "SELECT change_cursor()"

# Below the oldest open transaction nothing can appear any more. What is above it is held back until
# that transaction ends.
_PLACE = "cast(:xid AS xid8), cast(:id AS uuid)"
_KNOWN = "h.status <> 'IGNORED' AND h.change_xid < m.xmin"
_NEW = f"{_KNOWN} AND (h.change_xid, h.id) > ({_PLACE})"
# The planner judges a comparison of rows by its first column alone: within one transaction of many
# rows, such as a migration, it would read the changes of all matches.
_NEW_OF_MATCH = f"{_KNOWN} AND (h.match_id, h.change_xid, h.id) > (:match_id, {_PLACE})"
_IN_ORDER = "ORDER BY h.change_xid, h.id"
_NEWEST = """SELECT h.change_xid FROM highlights AS h WHERE h.status <> 'IGNORED'
            ORDER BY h.change_xid DESC, h.id DESC LIMIT 1"""
_LAST_SCANNED = f"""
        LEFT JOIN LATERAL (
            SELECT h.change_xid AS scanned_xid, h.id AS scanned_id FROM highlights AS h
            WHERE {_NEW} {_IN_ORDER} OFFSET {SCANNED - 1} LIMIT 1) AS last_scanned ON true"""
_NONE_SCANNED = ", (VALUES (NULL::xid8, NULL::uuid)) AS last_scanned (scanned_xid, scanned_id)"
_UP_TO_SCANNED = """
                AND (h.change_xid, h.id) <= (coalesce(m.scanned_xid, m.xmin),
                    coalesce(m.scanned_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))"""


def scans(names: Container[str]) -> bool:
    """Whether filters have no index in the order of changes."""
    return "match_id" not in names and any(name in names for name in FEED_FILTERS)


def changes_statement(names: Container[str]) -> str:
    """The statement that reads on from a place of the feed, by the filters among these names.

    Its first columns tell of the moment: the epoch, the oldest open transaction, the next one that
    will be opened (none on a replica), the newest change's, and where a look at SCANNED changes
    ended, if it did. The others, in no order, are null if there is no change.
    """
    where = " AND ".join(FILTERS[name] for name in FEED_FILTERS if name in names) or "true"
    if scans(names):  # OFFSET 0 has Postgres read in the order of changes, not by another index
        scanned, changes = _LAST_SCANNED, f"{_NEW}{_UP_TO_SCANNED} {_IN_ORDER} OFFSET 0) AS h"
        changes = f"(SELECT * FROM highlights AS h WHERE {changes} WHERE {where}"
    else:
        new = _NEW_OF_MATCH if "match_id" in names else _NEW
        scanned, changes = _NONE_SCANNED, f"highlights AS h WHERE {new} AND {where} {_IN_ORDER}"
    return f"""
    WITH snapshot AS MATERIALIZED (
        SELECT change_epoch() AS epoch, pg_snapshot_xmin(pg_current_snapshot()) AS xmin,
            CASE WHEN NOT pg_is_in_recovery()
                THEN pg_snapshot_xmax(pg_current_snapshot()) END AS xmax
    ), moment AS MATERIALIZED (
        SELECT *, ({_NEWEST}) AS newest FROM snapshot AS m {scanned}
    )
    SELECT m.epoch, m.xmin::text, m.xmax::text, m.newest::text, m.scanned_xid::text, m.scanned_id,
        c.*
    FROM moment AS m LEFT JOIN LATERAL (
        SELECT h.change_xid::text, h.id, h.match_id, h.side, h.team_key, h.event_type,
            row_to_json(d)::text
        FROM (SELECT * FROM {changes} LIMIT :limit) AS h, {DOCUMENT}
    ) AS c ON true
"""


# What a function needs of the table that reads the feed.
FOLLOWS: Final = (changes_statement(FEED_FILTERS), NOW)

# How long changes have been held back by a transaction that is still open: for operators.
HELD_BACK_S = """
    SELECT extract(epoch FROM clock_timestamp() - min(updated_at))::float8 FROM highlights
    WHERE status <> 'IGNORED' AND change_xid >= pg_snapshot_xmin(pg_current_snapshot())
"""

# A dump that is restored to another server brings numbers of transactions which are still to come
# there. The feed refuses to work with them until infra.migrate has replaced them.
RENUMBER = f"""
    UPDATE highlights SET change_xid = pg_current_xact_id()
    WHERE status <> 'IGNORED' AND change_xid >= pg_snapshot_xmax(pg_current_snapshot())
        AND ({_NEWEST}) >= pg_snapshot_xmax(pg_current_snapshot())
    RETURNING id
"""
