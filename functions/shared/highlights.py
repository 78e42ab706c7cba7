"""The table `highlights`: all of its SQL, each statement named."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from functions.shared.postgres import Postgres

PENDING_AI: Final = "PENDING_AI"
READY: Final = "READY"
FAILED_AI: Final = "FAILED_AI"
RETRACTED: Final = "RETRACTED"
STATUSES: Final = (PENDING_AI, READY, FAILED_AI, RETRACTED)

# The highest revision wins, and of two equal ones a retraction. The text and the place in the
# queue are kept while the facts that the text tells stay the same. Rows are written in the order
# of their ids, so that two batches never wait for each other.
RECORD = """
    INSERT INTO highlights AS h (
        id, match_id, event_id, revision, retracted, occurred_at, event_type, team, player,
        description, minute, added_time, home_team, away_team, home_score, away_score,
        status, traceparent)
    SELECT * FROM json_to_recordset(cast(:rows AS json)) AS r (
        id uuid, "matchId" uuid, "eventId" text, revision integer, retracted boolean,
        "occurredAt" timestamptz, "eventType" text, team text, player text, description text,
        minute smallint, "addedTime" smallint, "homeTeam" text, "awayTeam" text,
        "homeScore" smallint, "awayScore" smallint, status text, traceparent text)
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
        revision = excluded.revision, retracted = excluded.retracted,
        occurred_at = excluded.occurred_at, event_type = excluded.event_type,
        team = excluded.team, player = excluded.player, description = excluded.description,
        minute = excluded.minute, added_time = excluded.added_time,
        home_team = excluded.home_team, away_team = excluded.away_team,
        home_score = excluded.home_score, away_score = excluded.away_score,
        traceparent = excluded.traceparent, updated_at = clock_timestamp(),
        (status, title, summary, attempts, lease, available_at) = (
            SELECT CASE WHEN told THEN h.status ELSE excluded.status END,
                   CASE WHEN told THEN h.title END,
                   CASE WHEN told THEN h.summary END,
                   CASE WHEN told THEN h.attempts ELSE 0 END,
                   CASE WHEN told THEN h.lease END,
                   CASE WHEN told THEN h.available_at ELSE clock_timestamp() END
            FROM (SELECT 'RETRACTED' NOT IN (h.status, excluded.status)
                AND (h.event_type, h.team, h.player, h.description, h.minute, h.added_time,
                     h.home_team, h.away_team, h.home_score, h.away_score)
                IS NOT DISTINCT FROM
                    (excluded.event_type, excluded.team, excluded.player, excluded.description,
                     excluded.minute, excluded.added_time, excluded.home_team,
                     excluded.away_team, excluded.home_score, excluded.away_score)
                AS told) AS facts)
    WHERE (excluded.revision, excluded.retracted) > (h.revision, h.retracted)
    RETURNING id, status
"""

# A claim is a lease: it ends by itself, and its id fences off whoever comes back too late. It
# counts as an attempt when it begins, since a crash leaves nobody to count it at its end.
# No lease and no put-off reaches further ahead than `ahead_s`: what does was written before the
# clock stepped back, and is overdue by the clock that wrote it. Each part is a range of the index.
CLAIM = """
    WITH due AS (
        SELECT id FROM highlights WHERE status = 'PENDING_AI' AND available_at <= now()
        ORDER BY available_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), stranded AS (
        SELECT id FROM highlights
        WHERE status = 'PENDING_AI' AND available_at > now() + make_interval(secs => :ahead_s)
        ORDER BY available_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE highlights AS h
    SET lease = gen_random_uuid(), attempts = attempts + 1,
        available_at = clock_timestamp() + make_interval(secs => :lease_s)
    FROM (SELECT id FROM stranded UNION ALL SELECT id FROM due LIMIT :limit) AS next
    WHERE h.id = next.id
    RETURNING h.id, h.lease, h.match_id, h.traceparent, h.attempts,
        h.event_type, h.team, h.player, h.description, h.minute, h.added_time,
        h.home_team, h.away_team, h.home_score, h.away_score
"""

FINISH = """
    WITH finished AS (
        SELECT h.id, r.title, r.summary FROM highlights AS h
        JOIN json_to_recordset(cast(:rows AS json))
            AS r (id uuid, lease uuid, title text, summary text) USING (id, lease)
        WHERE h.status = 'PENDING_AI' ORDER BY h.id FOR UPDATE OF h)
    UPDATE highlights AS h
    SET status = 'READY', title = f.title, summary = f.summary, lease = NULL,
        updated_at = clock_timestamp()
    FROM finished AS f WHERE h.id = f.id
    RETURNING h.id, h.status
"""

# An attempt that failed is put off, twice as long each time, or was the last.
LONGEST_BACKOFF_S: Final = 3600
GIVE_BACK = """
    WITH failed AS (
        SELECT h.id, h.attempts >= :attempts AS last FROM highlights AS h
        JOIN json_to_recordset(cast(:rows AS json)) AS r (id uuid, lease uuid) USING (id, lease)
        WHERE h.status = 'PENDING_AI' ORDER BY h.id FOR UPDATE OF h)
    UPDATE highlights AS h
    SET status = CASE WHEN last THEN 'FAILED_AI' ELSE 'PENDING_AI' END, lease = NULL,
        available_at = clock_timestamp()
            + make_interval(secs => least(:backoff_s * power(2, h.attempts - 1), 3600)),
        updated_at = CASE WHEN last THEN clock_timestamp() ELSE h.updated_at END
    FROM failed AS f WHERE h.id = f.id
    RETURNING h.id, h.status
"""

COUNT_PENDING = "SELECT count(*) FROM highlights WHERE status = 'PENDING_AI'"

# For who operates the queue (infra/enrichment.py). A highlight that is tried again begins anew,
# with all its attempts; the change is seen, so it has a new time.
COUNT_BY_STATUS = "SELECT status, count(*) FROM highlights GROUP BY status ORDER BY status"
COUNT_BY_ATTEMPTS = """
    SELECT attempts, count(*), extract(epoch FROM now() - min(updated_at))::float8
    FROM highlights WHERE status = 'PENDING_AI' GROUP BY attempts ORDER BY attempts
"""
FAILED = """
    SELECT id, match_id, event_id, attempts, updated_at FROM highlights
    WHERE status = 'FAILED_AI' AND id > :after
        AND id = coalesce(:id, id) AND match_id = coalesce(:match_id, match_id)
    ORDER BY id LIMIT :limit
"""
RETRY = """
    WITH failed AS (
        SELECT id FROM highlights
        WHERE status = 'FAILED_AI' AND id = ANY(cast(:ids AS uuid[])) ORDER BY id FOR UPDATE)
    UPDATE highlights AS h
    SET status = 'PENDING_AI', attempts = 0, lease = NULL, available_at = clock_timestamp(),
        updated_at = clock_timestamp()
    FROM failed AS f WHERE h.id = f.id
    RETURNING h.id, h.status
"""

# A highlight as the API shows it, made by Postgres: far cheaper than decoding rows in Python.
DOCUMENT = """
    SELECT h.id, rfc3339(h.occurred_at), row_to_json(d)::text FROM {rows} AS h, LATERAL (
        SELECT h.id, h.match_id AS "matchId", h.event_id AS "eventId", h.revision,
            rfc3339(h.occurred_at) AS "occurredAt", h.event_type AS "eventType",
            h.team, h.player, h.description, h.minute, h.added_time AS "addedTime",
            h.home_team AS "homeTeam", h.away_team AS "awayTeam",
            h.home_score AS "homeScore", h.away_score AS "awayScore",
            h.status, h.title, h.summary, h.thumbnail_url AS "thumbnailUrl",
            rfc3339(h.created_at) AS "createdAt", rfc3339(h.updated_at) AS "updatedAt") AS d
"""

GET = f"{DOCUMENT.format(rows='highlights')} WHERE h.id = :id"

# What each filter of a list means; a list has those of them that it was asked for.
FILTERS: Final[Mapping[str, str]] = {
    "match_id": "h.match_id = :match_id",
    "status": "h.status = :status",
    "standing": "h.status <> 'RETRACTED'",
    "team": "lower(h.team) = lower(:team)",
    "event_type": "lower(h.event_type) = lower(:event_type)",
    "updated_since": "h.updated_at >= :updated_since",
    "after": "(h.occurred_at, h.id) < (:after, :after_id)",
}

# An index has the rows of these, and of one match however else it is filtered, in their order.
IN_ORDER: Final[Sequence[set[str]]] = (set(), {"status"}, {"team"}, {"event_type"})


def is_heavy(names: Iterable[str], offset: int) -> bool:
    """Whether a list by these filters may have to read far more rows than it shows."""
    chosen = set(names)
    by_index = "match_id" in chosen or chosen - {"after", "after_id", "standing"} in IN_ORDER
    return offset > 0 or not by_index


def list_statement(names: Iterable[str]) -> str:
    """The statement that lists by the filters among these names, newest first."""
    where = " AND ".join(FILTERS[name] for name in names if name in FILTERS)
    newest_first = "ORDER BY h.occurred_at DESC, h.id DESC"
    chosen = f"highlights AS h {'WHERE ' + where if where else ''} {newest_first}"
    # Of those that are passed over no documents are made.
    page = f"(SELECT * FROM {chosen} LIMIT :limit OFFSET :offset)"  # noqa: S608 (texts of ours)
    return f"{DOCUMENT.format(rows=page)} {newest_first}"


@dataclass(frozen=True, slots=True)
class Change:
    """A highlight that a statement changed."""

    id: UUID
    status: str


@dataclass(frozen=True, slots=True)
class Document:
    """A highlight as the API shows it, with what its place in a list is known by."""

    id: UUID
    occurred_at: str
    json: str


# What a function needs of the table, by what it does.
GETS: Final = (GET,)
LISTS: Final = (list_statement(FILTERS),)
RECORDS: Final = (RECORD,)
ENRICHES: Final = (CLAIM, FINISH, GIVE_BACK, COUNT_PENDING)


class Highlights:
    """The highlights, in Postgres; `needs` are the statements that `ready` asks for."""

    def __init__(self, postgres: Postgres, needs: Sequence[str] = ()) -> None:
        self._postgres = postgres
        self._needs = needs

    async def ready(self) -> None:
        """Return if Postgres answers, and has all that our statements name, open to us.

        Raises:
            Unavailable: it does not, or lacks something.
        """
        await self._postgres.explain(self._needs)

    async def record(self, rows: Sequence[Mapping[str, Any]]) -> list[Change]:
        """Record revisions of events, at most one of each event; returns what they changed.

        A row has the event's JSON names, and id, status and traceparent.
        """
        changed = await self._postgres.run(RECORD, rows=_json(rows))
        return [Change(*row) for row in changed]

    async def claim(
        self, *, limit: int, lease_s: float, ahead_s: float = LONGEST_BACKOFF_S
    ) -> list[list[Any]]:
        """Lease up to `limit` highlights that await their text, oldest first.

        None is leased or put off further ahead than `ahead_s`. Rows: id, lease, match_id,
        traceparent, attempts (this one too), then the facts in the order of the contract.
        """
        return await self._postgres.run(CLAIM, limit=limit, lease_s=lease_s, ahead_s=ahead_s)

    async def finish(self, rows: Sequence[Mapping[str, Any]]) -> list[Change]:
        """Make READY those of the rows (id, lease, title, summary) whose lease still holds."""
        finished = await self._postgres.run(FINISH, rows=_json(rows))
        return [Change(*row) for row in finished]

    async def give_back(
        self, rows: Sequence[Mapping[str, Any]], *, attempts: int, backoff_s: float
    ) -> list[Change]:
        """Put off, or at the last attempt fail, the rows (id, lease) whose lease still holds."""
        changed = await self._postgres.run(
            GIVE_BACK, rows=_json(rows), attempts=attempts, backoff_s=backoff_s
        )
        return [Change(*row) for row in changed]

    async def count_pending(self) -> int:
        """How many highlights still await their text."""
        ((count,),) = await self._postgres.run(COUNT_PENDING)
        return int(count)

    async def get(self, highlight_id: UUID) -> Document | None:
        """One highlight, in any status."""
        rows = await self._postgres.run(GET, id=highlight_id)
        return Document(*rows[0]) if rows else None

    async def list(
        self, filters: Mapping[str, Any], *, limit: int, offset: int = 0
    ) -> list[Document]:
        """Highlights by the values of `FILTERS`, newest first by (occurred_at, id)."""
        values = {name: value for name, value in filters.items() if name != "standing"}
        run = self._postgres.run_heavy if is_heavy(filters, offset) else self._postgres.run
        rows = await run(list_statement(filters), limit=limit, offset=offset, **values)
        return [Document(*row) for row in rows]


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(rows).decode()
