"""The queries of the contract, each as a path and as the statement that serves it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from pg8000.native import Connection

from functions.list_highlights.change_query import parse_change_query
from functions.list_highlights.query import cursor_of, parse_match_query, parse_query
from functions.shared.contract.change_cursor import BEGINNING, ChangeCursor
from functions.shared.postgres.change_sql import changes_statement
from functions.shared.postgres.highlight_sql import CLAIM, COUNT_PENDING, GET, list_statement
from functions.shared.postgres.highlights import Document
from functions.shared.postgres.match_sql import matches_statement

FIRST = "/highlights"
FAR_PAGE = 10_000
PAGE = 50
NTH_READY = """
    SELECT match_id, id, updated_at FROM highlights WHERE status = 'READY'
    ORDER BY occurred_at OFFSET :offset LIMIT 1
"""
NTH_NEWEST = """
    SELECT id, rfc3339(occurred_at) FROM highlights
    WHERE status IN ('PENDING_AI', 'READY', 'FAILED_AI')
    ORDER BY occurred_at DESC, id DESC OFFSET :offset LIMIT 1
"""
NTH_CHANGE = """
    SELECT change_epoch(), change_xid::text, id, pg_snapshot_xmin(pg_current_snapshot())::text
    FROM highlights ORDER BY change_xid, id OFFSET :offset LIMIT 1
"""
FEED_FILTERS = {
    "": "",
    "matchId": "&matchId={match}",
    "common team": "&team=Sporting%20Sol%207",
    "rare team": "&team=Rare%20Rovers",
    "no such team": "&team=Nobody",
    "side": "&team=home",
    "eventType": "&eventType=own_goal",
}


@dataclass(frozen=True)
class Query:
    """A query: its path, if it is one of HTTP, and the statement and its values.

    `selects` says that no index has its rows alone, and in its order: so some are passed over, or
    sorted.
    """

    name: str
    statement: str
    values: Mapping[str, Any]
    path: str = ""
    selects: bool = False


@dataclass(frozen=True)
class Places:
    """Places in a filled table: a match, the list's and the feed's cursors."""

    match: UUID
    id: UUID
    far: str
    middle: ChangeCursor
    end: ChangeCursor
    halfway: datetime

    @classmethod
    def of(cls, connection: Connection, count: int) -> "Places":
        """Look them up."""
        half = count // 2
        before = min((FAR_PAGE - 1) * PAGE, half) - 1
        ((match, id_, halfway),) = connection.run(NTH_READY, offset=half)
        ((last, last_at),) = connection.run(NTH_NEWEST, offset=before)
        ((epoch, xid, change_id, end),) = connection.run(NTH_CHANGE, offset=half)
        return cls(
            match,
            id_,
            cursor_of(Document(last, last_at, "")),
            ChangeCursor(int(xid), change_id, epoch),
            ChangeCursor(int(end), epoch=epoch),
            halfway.astimezone(UTC),
        )


def queries(places: Places) -> Iterator[Query]:
    """Every query of the contract, and the enricher's claim."""
    yield from map(_lists, _indexed(places))
    for path in _selecting(places):
        yield _lists(path, selects=True)
    yield _matches("/matches")
    yield _matches(f"/matches?matchId={places.match}")
    yield _matches(f"/matches?cursor={places.far}")
    for since, cursor in ("0", BEGINNING), ("middle", places.middle), ("end", places.end):
        for name, filter_ in FEED_FILTERS.items():
            path = f"/highlights?changedSince={cursor}{filter_.format(match=places.match)}"
            name = f"/highlights?changedSince={since}" + (f"&{name}" if name else "")
            yield _changes(name, path)
    yield Query("GET /highlights/{id}", GET, {"id": places.id, "lang": None})
    yield Query("a claim of 100", CLAIM, {"limit": 100, "lease_s": 30.0, "ahead_s": 3600.0})
    yield Query("count of PENDING_AI", COUNT_PENDING, {"ahead_s": 64.0})


def _indexed(places: Places) -> Iterator[str]:
    yield FIRST
    for filter_ in (
        f"matchId={places.match}", f"matchId={places.match}&status=READY",
        f"matchId={places.match}&team=home", f"matchId={places.match}&eventType=own_goal",
        "status=READY", "status=PENDING_AI", "status=FAILED_AI", "status=RETRACTED", "team=home",
        "team=Sporting%20Sol%207", "team=Rare%20Rovers", "team=Nobody", "eventType=goal",
        "eventType=own_goal", "eventType=corner",
    ):  # fmt: skip
        yield f"/highlights?{filter_}"
        yield f"/highlights?{filter_}&cursor={places.far}"
    yield f"/highlights?cursor={places.far}"


def _selecting(places: Places) -> Iterator[str]:
    since = quote(places.halfway.isoformat())
    for query in (
        "page=200", "team=Sporting%20Sol%207&eventType=own_goal", "team=home&status=FAILED_AI",
        "eventType=own_goal&status=RETRACTED", f"updatedSince={since}",
        f"updatedSince={since}&status=FAILED_AI",
    ):  # fmt: skip
        yield f"/highlights?{query}"


def _lists(path: str, *, selects: bool = False) -> Query:
    query = parse_query(urlsplit(path).query)
    values = {name: value for name, value in query.filters.items() if name != "not_retracted"}
    values |= {"limit": query.page_size + 1, "offset": query.offset, "lang": None}
    return Query(_name(path), list_statement(query.filters), values, path, selects)


def _matches(path: str) -> Query:
    query = parse_match_query(urlsplit(path).query)
    values = {**query.filters, "limit": query.page_size + 1}
    return Query(_name(path), matches_statement(query.filters), values, path)


def _changes(name: str, path: str) -> Query:
    query = parse_change_query(urlsplit(path).query)
    assert query is not None
    assert query.after is not None
    place = {"xid": str(query.after.xid), "id": query.after.id, "limit": query.page_size}
    values = {**query.filters, **place, "lang": None}
    return Query(name, changes_statement(query.filters), values, path)


def _name(path: str) -> str:
    """Return a path without the values that say nothing to a reader."""
    return re.sub(r"(matchId|cursor|updatedSince)=[^&]*", r"\1", path)
