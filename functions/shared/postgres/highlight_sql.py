"""All SQL of the table `highlights`: its columns, and each statement by its name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Final

from pydantic.alias_generators import to_camel

from functions.shared.contract.event import Event
from functions.shared.contract.highlight import Facts

FACTS: Final = tuple(fact.name for fact in fields(Facts))
# Every field of an event has a column of its name. Each revision may change those that do not
# identify the event, and what is made of them.
FIELDS: Final = tuple(Event.model_fields)
REVISABLE: Final = (
    *(name for name in FIELDS if name not in ("match_id", "event_id")),
    "side", "team_key", "traceparent",
)  # fmt: skip
COLUMNS: Final = ("id", "match_id", "event_id", *REVISABLE, "status")
# Every field of an event is shown too, but whether it is retracted: that is the status.
SHOWN_FIELDS: Final = tuple(name for name in FIELDS if name != "retracted")
# The text and what belongs to it: a text for other facts is dropped as a whole.
TEXT: Final = ("title", "summary", "thumbnail_url", "texts", "enriched_by", "refused")
GENERATED: Final = ("status", *TEXT, "created_at", "updated_at")
# They are shown in the language of `:lang`, if there are texts in it.
TRANSLATED: Final = ("title", "summary")
TIMES: Final = ("occurred_at", "created_at", "updated_at")
# The rows that a statement is given as JSON, each value of the type of its column.
ROWS_FROM_JSON: Final = "json_populate_recordset(NULL::highlights, cast(:rows AS json))"


def _names(columns: Iterable[str], of: str = "") -> str:
    return ", ".join(f"{of}{column}" for column in columns)


def _as_json(columns: Iterable[str]) -> str:
    return ", ".join(f'{_shown(column)} AS "{to_camel(column)}"' for column in columns)


def _shown(column: str) -> str:
    if column in TRANSLATED:
        return f"coalesce(h.texts -> cast(:lang AS text) ->> '{column}', h.{column})"
    return f"rfc3339(h.{column})" if column in TIMES else f"h.{column}"


# The highest revision wins, and of two equal ones a retraction. The text and the place in the
# queue are kept if the facts that the text states are the same. Rows are written in the order of
# their ids, so that two batches never deadlock.
RECORD = f"""
    INSERT INTO highlights AS h ({_names(COLUMNS)})
    SELECT {_names(COLUMNS)} FROM {ROWS_FROM_JSON}
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
        ({_names(REVISABLE)}) = ROW ({_names(REVISABLE, "excluded.")}),
        updated_at = clock_timestamp(),
        (status, {_names(TEXT)}, provisional, attempts, lease, available_at) = (
            SELECT CASE WHEN same_facts THEN h.status
                        WHEN excluded.status = 'IGNORED' AND h.status <> 'IGNORED' THEN 'RETRACTED'
                        ELSE excluded.status END,
                   {", ".join(f"CASE WHEN same_facts THEN h.{name} END" for name in TEXT)},
                   same_facts AND h.provisional,
                   CASE WHEN same_facts THEN h.attempts ELSE 0 END,
                   CASE WHEN same_facts THEN h.lease END,
                   CASE WHEN same_facts THEN h.available_at ELSE clock_timestamp() END
            FROM (SELECT excluded.status = 'PENDING_AI' AND h.status IN ('PENDING_AI', 'READY')
                AND ({_names(FACTS, "h.")}) IS NOT DISTINCT FROM ({_names(FACTS, "excluded.")})
                AS same_facts) AS compared)
    WHERE (excluded.revision, excluded.retracted) > (h.revision, h.retracted)
    RETURNING id, status
"""

# The rows whose content differs from the recorded content of the same revision.
CONFLICTS = f"""
    SELECT h.id FROM highlights AS h JOIN {ROWS_FROM_JSON} AS r USING (id)
    WHERE (h.revision, h.retracted) = (r.revision, r.retracted)
        AND ROW ({_names(FIELDS, "h.")})::text <> ROW ({_names(FIELDS, "r.")})::text
"""

# A claim is a lease: it expires by itself, and its id fences off a worker that comes back too late.
# It counts as an attempt when it begins, since a worker that crashes cannot count it at the end.
# No lease and no backoff reaches further ahead than `ahead_s`: one that does was written before the
# clock stepped back, and is overdue by the clock that wrote it. Each part of the statement is a
# range of the index, and skips rows that others have locked. A claim changes no indexed column,
# which would cost an entry in each index. A lease without an end is of an older function, which
# moved available_at instead. A highlight whose lease expired may have crashed its worker: it is not
# claimed with others.
_UNCLAIMED = "lease IS NULL"
_CRASHED = """lease IS NOT NULL AND (
            leased_until > now()
            AND leased_until <= now() + make_interval(secs => :ahead_s)) IS NOT TRUE"""
_PENDING = "status = 'PENDING_AI'"
_PROVISIONAL = "status = 'READY' AND provisional"


def _claim(queue: str, lease: str) -> str:
    return f"""
    WITH due AS (
        SELECT id FROM highlights
        WHERE {queue} AND available_at <= now() AND {lease}
        ORDER BY available_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), ahead AS (
        SELECT id FROM highlights
        WHERE {queue} AND available_at > now() + make_interval(secs => :ahead_s)
            AND {lease}
        ORDER BY available_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE highlights AS h
    SET lease = gen_random_uuid(), attempts = attempts + 1,
        leased_until = clock_timestamp() + make_interval(secs => :lease_s)
    FROM (SELECT id FROM ahead UNION ALL SELECT id FROM due LIMIT :limit) AS next
    WHERE h.id = next.id
    RETURNING h.id, h.lease, h.match_id, h.traceparent, h.attempts, h.provisional, {
        _names(FACTS, "h.")
    }
"""


CLAIM = _claim(_PENDING, _UNCLAIMED)
CLAIM_PROVISIONAL = _claim(_PROVISIONAL, _UNCLAIMED)
CLAIM_CRASHED = _claim(_PENDING, _CRASHED)
CLAIM_CRASHED_PROVISIONAL = _claim(_PROVISIONAL, _CRASHED)

# What awaits its text, or a better one.
_LEASED = "(h.status = 'PENDING_AI' OR h.status = 'READY' AND h.provisional)"

PROLONG = f"""
    UPDATE highlights AS h
    SET leased_until = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE h.id = :id AND h.lease = cast(:lease AS uuid) AND {_LEASED}
    RETURNING h.id
"""

# A provisional text leaves all attempts for a better one.
FINISH = f"""
    WITH finished AS (
        SELECT h.id, {_names(TEXT, "r.")}, r.provisional FROM highlights AS h
        JOIN json_to_recordset(cast(:rows AS json)) AS r (
            id uuid, lease uuid, title text, summary text, texts json, enriched_by text,
            refused json, thumbnail_url text, provisional boolean) USING (id, lease)
        WHERE {_LEASED} ORDER BY h.id FOR UPDATE OF h)
    UPDATE highlights AS h
    SET status = 'READY', ({_names(TEXT)}) = ROW ({_names(TEXT, "f.")}), lease = NULL,
        provisional = coalesce(f.provisional, false),
        attempts = CASE WHEN f.provisional THEN 0 ELSE h.attempts END,
        updated_at = clock_timestamp()
    FROM finished AS f WHERE h.id = f.id
    RETURNING h.id, h.status
"""

# The next attempt waits. One that failed counts, and if it was the last, the highlight has failed,
# or keeps its provisional text.
LONGEST_BACKOFF_S: Final = 3600
GIVE_BACK = f"""
    WITH given_back AS (
        SELECT h.id, r.wait_s, r.failed, r.failed AND h.attempts >= :attempts AS last
        FROM highlights AS h
        JOIN json_to_recordset(cast(:rows AS json))
            AS r (id uuid, lease uuid, wait_s float8, failed boolean) USING (id, lease)
        WHERE {_LEASED} ORDER BY h.id FOR UPDATE OF h)
    UPDATE highlights AS h
    SET status = CASE WHEN last AND h.status = 'PENDING_AI' THEN 'FAILED_AI' ELSE h.status END,
        provisional = h.provisional AND NOT last, lease = NULL,
        attempts = CASE WHEN g.failed THEN h.attempts ELSE h.attempts - 1 END,
        available_at = clock_timestamp() + make_interval(secs => g.wait_s),
        updated_at = CASE WHEN last AND h.status = 'PENDING_AI' THEN clock_timestamp()
                          ELSE h.updated_at END
    FROM given_back AS g WHERE h.id = g.id
    RETURNING h.id, h.status
"""

# The corrected highlights whose former texts are still to be checked. A trigger moves those there,
# and clears them once the highlight is no longer PENDING_AI.
CORRECTED = f"""
    SELECT h.id, h.revision, h.match_id, h.former, {_names(FACTS, "h.")}
    FROM highlights AS h WHERE h.former IS NOT NULL ORDER BY h.id LIMIT :limit
"""

# No lease is needed: a later correction has a higher revision, and a retraction no former texts.
SETTLE = """
    WITH settled AS (
        SELECT h.id, r.title, r.summary, r.texts, r.enriched_by FROM highlights AS h
        JOIN json_to_recordset(cast(:rows AS json)) AS r (
            id uuid, revision bigint, title text, summary text, texts json, enriched_by text)
            USING (id, revision)
        WHERE h.former IS NOT NULL ORDER BY h.id FOR UPDATE OF h)
    UPDATE highlights AS h
    SET (title, summary, texts, enriched_by) = ROW (s.title, s.summary, s.texts, s.enriched_by),
        former = NULL,
        updated_at = CASE WHEN s.texts IS NULL THEN h.updated_at ELSE clock_timestamp() END
    FROM settled AS s WHERE h.id = s.id
    RETURNING h.id, h.status
"""

COUNT_PENDING = f"""
    SELECT count(*), count(*) FILTER (WHERE {_CRASHED}) FROM highlights WHERE {_PENDING}
"""

# For operators of the queue (infra/enrichment.py). A highlight that is retried has all its attempts
# again; readers see the change, so it has a new time.
COUNT_BY_STATUS = "SELECT status, count(*) FROM highlights GROUP BY status ORDER BY status"
COUNT_BY_WRITER = """
    SELECT coalesce(enriched_by, 'an older version'), count(*), count(*) FILTER (WHERE provisional)
    FROM highlights WHERE status = 'READY' GROUP BY 1 ORDER BY 1
"""
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

# A highlight as the API shows it, made by Postgres: far cheaper than decoding rows in Python. While
# `:lang` is null, its texts are not looked into.
DOCUMENT = f"LATERAL (SELECT {_as_json(('id', *SHOWN_FIELDS, *GENERATED))}) AS d"
_PLACE_AND_JSON = "h.id, rfc3339(h.occurred_at), row_to_json(d)::text"

GET = f"""
    SELECT {_PLACE_AND_JSON} FROM highlights AS h, {DOCUMENT}
    WHERE h.id = :id AND h.status <> 'IGNORED'
"""

# What each filter of a list means; a list has those of them that it was asked for.
FILTERS: Final[Mapping[str, str]] = {
    "match_id": "h.match_id = :match_id",
    "status": "h.status = :status",
    "not_retracted": "h.status IN ('PENDING_AI', 'READY', 'FAILED_AI')",
    "side": "h.side = :side",
    "team_key": "h.team_key = :team_key",
    "event_type": "h.event_type = :event_type",
    "updated_since": "h.updated_at >= :updated_since",
    "after": "(h.occurred_at, h.id) < (:after, :after_id)",
}

# An index has the rows of these, and of one match however else it is filtered, in their order.
INDEXED_FILTERS: Final[Sequence[set[str]]] = (
    set(), {"status"}, {"side"}, {"team_key"}, {"event_type"},
)  # fmt: skip


def is_heavy(names: Iterable[str], offset: int) -> bool:
    """Whether a list by these filters may have to read far more rows than it shows."""
    chosen = set(names)
    by_index = (
        "match_id" in chosen or chosen - {"after", "after_id", "not_retracted"} in INDEXED_FILTERS
    )
    return offset > 0 or not by_index


def list_statement(names: Iterable[str]) -> str:
    """The statement that lists by the filters among these names, newest first.

    Each row has the place in the change feed of the moment when the list was read.
    """
    where = " AND ".join(FILTERS[name] for name in names if name in FILTERS)
    newest_first = "ORDER BY h.occurred_at DESC, h.id DESC"
    chosen = f"highlights AS h {'WHERE ' + where if where else ''} {newest_first}"
    # Of those that are passed over no documents are made.
    page = f"(SELECT * FROM {chosen} LIMIT :limit OFFSET :offset)"
    return f"""
        SELECT {_PLACE_AND_JSON}, (SELECT change_cursor()) FROM {page} AS h, {DOCUMENT}
        {newest_first}
    """


# What a function needs of the table, by what it does.
GETS: Final = (GET,)
LISTS: Final = (list_statement(FILTERS),)
RECORDS: Final = (RECORD, CONFLICTS)
ENRICHES: Final = (CLAIM, CLAIM_PROVISIONAL, CLAIM_CRASHED, CLAIM_CRASHED_PROVISIONAL, PROLONG,
                   FINISH, GIVE_BACK, CORRECTED, SETTLE, COUNT_PENDING)  # fmt: skip
