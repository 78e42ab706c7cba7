-- name: RECORD
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

-- name: CLAIM
UPDATE highlights AS h
    SET lease = gen_random_uuid(), attempts = attempts + 1,
        available_at = clock_timestamp() + make_interval(secs => :lease_s)
    FROM (
        SELECT id FROM highlights
        WHERE status = 'PENDING_AI' AND available_at <= clock_timestamp()
        ORDER BY available_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    ) AS next
    WHERE h.id = next.id
    RETURNING h.id, h.lease, h.match_id, h.traceparent, h.attempts,
        h.event_type, h.team, h.player, h.description, h.minute, h.added_time,
        h.home_team, h.away_team, h.home_score, h.away_score

-- name: FINISH
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

-- name: GIVE_BACK
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

-- name: COUNT_PENDING
SELECT count(*) FROM highlights WHERE status = 'PENDING_AI'

-- name: GET
SELECT h.id, rfc3339(h.occurred_at), row_to_json(d)::text FROM highlights AS h, LATERAL (
        SELECT h.id, h.match_id AS "matchId", h.event_id AS "eventId", h.revision,
            rfc3339(h.occurred_at) AS "occurredAt", h.event_type AS "eventType",
            h.team, h.player, h.description, h.minute, h.added_time AS "addedTime",
            h.home_team AS "homeTeam", h.away_team AS "awayTeam",
            h.home_score AS "homeScore", h.away_score AS "awayScore",
            h.status, h.title, h.summary, h.thumbnail_url AS "thumbnailUrl",
            rfc3339(h.created_at) AS "createdAt", rfc3339(h.updated_at) AS "updatedAt") AS d
 WHERE h.id = :id

-- name: LIST
SELECT h.id, rfc3339(h.occurred_at), row_to_json(d)::text FROM (SELECT * FROM highlights AS h WHERE h.match_id = :match_id AND h.status <> 'RETRACTED' ORDER BY h.occurred_at DESC, h.id DESC LIMIT :limit OFFSET :offset) AS h, LATERAL (
        SELECT h.id, h.match_id AS "matchId", h.event_id AS "eventId", h.revision,
            rfc3339(h.occurred_at) AS "occurredAt", h.event_type AS "eventType",
            h.team, h.player, h.description, h.minute, h.added_time AS "addedTime",
            h.home_team AS "homeTeam", h.away_team AS "awayTeam",
            h.home_score AS "homeScore", h.away_score AS "awayScore",
            h.status, h.title, h.summary, h.thumbnail_url AS "thumbnailUrl",
            rfc3339(h.created_at) AS "createdAt", rfc3339(h.updated_at) AS "updatedAt") AS d
 ORDER BY h.occurred_at DESC, h.id DESC
