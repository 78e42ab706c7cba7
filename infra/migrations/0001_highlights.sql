-- One row for each match event that is, or was, a highlight: its latest revision and its text.
-- The id is made of match_id and event_id. They have no unique constraint of their own: it would
-- refuse, rather than update, a row that two transactions insert at the same time.
CREATE TABLE highlights (
    id            uuid PRIMARY KEY,
    match_id      uuid NOT NULL,
    event_id      text NOT NULL,
    revision      integer NOT NULL,
    retracted     boolean NOT NULL,
    occurred_at   timestamptz NOT NULL,
    event_type    text NOT NULL,
    team          text,
    player        text,
    description   text,
    minute        smallint,
    added_time    smallint,
    home_team     text,
    away_team     text,
    home_score    smallint,
    away_score    smallint,
    status        text NOT NULL CHECK (status IN ('PENDING_AI', 'READY', 'FAILED_AI', 'RETRACTED')),
    title         text,
    summary       text,
    thumbnail_url text,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The enrichment queue: the lease, the number of attempts, when it may be claimed.
    lease         uuid,
    attempts      smallint NOT NULL DEFAULT 0,
    available_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The trace of the request that sent the revision.
    traceparent   text
);

-- One index for each filter, all in the order of the lists.
CREATE INDEX highlights_newest ON highlights (occurred_at DESC, id DESC) WHERE status <> 'RETRACTED';
CREATE INDEX highlights_by_match ON highlights (match_id, occurred_at DESC, id DESC);
CREATE INDEX highlights_by_status ON highlights (status, occurred_at DESC, id DESC);
CREATE INDEX highlights_by_team ON highlights (lower(team), occurred_at DESC, id DESC);
CREATE INDEX highlights_by_event_type ON highlights (lower(event_type), occurred_at DESC, id DESC);
CREATE INDEX highlights_by_update ON highlights (updated_at);
CREATE INDEX highlights_to_enrich ON highlights (available_at, id) WHERE status = 'PENDING_AI';

-- A time in the format of the API: RFC 3339, in UTC.
CREATE FUNCTION rfc3339(moment timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN (to_json(moment AT TIME ZONE 'UTC') #>> '{}') || 'Z';
