"""The SQL of the list of matches."""

from collections.abc import Container, Mapping
from typing import Final

from functions.shared.postgres.highlight_sql import FILTERS

MATCH_FILTERS: Final[Mapping[str, str]] = {name: FILTERS[name] for name in ("match_id", "after")}

_STANDS = FILTERS["not_retracted"]
_OF_MATCH = "FROM highlights AS h WHERE h.match_id = latest.match_id"
_LATEST = "ORDER BY h.occurred_at DESC, h.id DESC LIMIT 1"
_MATCH = f"""LATERAL (
        SELECT latest.match_id AS "matchId", t.home_team AS "homeTeam", t.away_team AS "awayTeam",
            s.home_score AS "homeScore", s.away_score AS "awayScore", c.highlights,
            rfc3339(latest.occurred_at) AS "occurredAt", rfc3339(c.updated_at) AS "updatedAt"
        FROM (SELECT count(*) FILTER (WHERE {_STANDS}) AS highlights,
                max(h.updated_at) AS updated_at -- beside a count: by itself another index is read
            {_OF_MATCH} AND h.status <> 'IGNORED') AS c
        LEFT JOIN LATERAL (SELECT h.home_team, h.away_team {_OF_MATCH} AND h.status <> 'IGNORED'
            AND h.home_team IS NOT NULL AND h.away_team IS NOT NULL {_LATEST}) AS t ON true
        LEFT JOIN LATERAL (SELECT h.home_score, h.away_score {_OF_MATCH} AND {_STANDS}
            AND h.home_score IS NOT NULL AND h.away_score IS NOT NULL {_LATEST}) AS s ON true
    ) AS d"""


def matches_statement(names: Container[str]) -> str:
    """The statement that lists matches by the filters among these names.

    It walks through highlights, the newest first, and shows the match of each that is its match's
    latest. A row has the id and time of that one, the match in JSON, and its moment in the feed.
    The score is that after the latest highlight that stands.
    """
    where = "".join(f" AND {sql}" for name, sql in MATCH_FILTERS.items() if name in names)
    return f"""
        SELECT latest.id, rfc3339(latest.occurred_at), row_to_json(d)::text,
            (SELECT change_cursor())
        FROM (SELECT h.id, h.match_id, h.occurred_at FROM highlights AS h
            WHERE h.status <> 'IGNORED'{where} AND h.id = (
                SELECT n.id FROM highlights AS n
                WHERE n.match_id = h.match_id AND n.status <> 'IGNORED'
                ORDER BY n.occurred_at DESC, n.id DESC LIMIT 1)
            ORDER BY h.occurred_at DESC, h.id DESC LIMIT :limit) AS latest, {_MATCH}
        ORDER BY latest.occurred_at DESC, latest.id DESC
    """


# What a function needs of the table that lists matches.
LISTS_MATCHES: Final = (matches_statement(MATCH_FILTERS),)
