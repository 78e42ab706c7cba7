-- name: RECORD
INSERT INTO highlights AS h (id, match_id, event_id, occurred_at, event_type, team, player, assist, description, revision, retracted, reason, period, minute, added_time, home_team, away_team, home_score, away_score, home_shootout_score, away_shootout_score, metadata, side, team_key, traceparent, status)
    SELECT id, match_id, event_id, occurred_at, event_type, team, player, assist, description, revision, retracted, reason, period, minute, added_time, home_team, away_team, home_score, away_score, home_shootout_score, away_shootout_score, metadata, side, team_key, traceparent, status FROM json_populate_recordset(NULL::highlights, cast(:rows AS json))
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
        (occurred_at, event_type, team, player, assist, description, revision, retracted, reason, period, minute, added_time, home_team, away_team, home_score, away_score, home_shootout_score, away_shootout_score, metadata, side, team_key, traceparent) = ROW (excluded.occurred_at, excluded.event_type, excluded.team, excluded.player, excluded.assist, excluded.description, excluded.revision, excluded.retracted, excluded.reason, excluded.period, excluded.minute, excluded.added_time, excluded.home_team, excluded.away_team, excluded.home_score, excluded.away_score, excluded.home_shootout_score, excluded.away_shootout_score, excluded.metadata, excluded.side, excluded.team_key, excluded.traceparent),
        updated_at = clock_timestamp(),
        (status, title, summary, attempts, lease, available_at) = (
            SELECT CASE WHEN same_facts THEN h.status
                        WHEN excluded.status = 'IGNORED' AND h.status <> 'IGNORED' THEN 'RETRACTED'
                        ELSE excluded.status END,
                   CASE WHEN same_facts THEN h.title END,
                   CASE WHEN same_facts THEN h.summary END,
                   CASE WHEN same_facts THEN h.attempts ELSE 0 END,
                   CASE WHEN same_facts THEN h.lease END,
                   CASE WHEN same_facts THEN h.available_at ELSE clock_timestamp() END
            FROM (SELECT excluded.status = 'PENDING_AI' AND h.status IN ('PENDING_AI', 'READY')
                AND (h.event_type, h.team, h.player, h.assist, h.description, h.period, h.minute, h.added_time, h.home_team, h.away_team, h.home_score, h.away_score, h.home_shootout_score, h.away_shootout_score) IS NOT DISTINCT FROM (excluded.event_type, excluded.team, excluded.player, excluded.assist, excluded.description, excluded.period, excluded.minute, excluded.added_time, excluded.home_team, excluded.away_team, excluded.home_score, excluded.away_score, excluded.home_shootout_score, excluded.away_shootout_score)
                AS same_facts) AS compared)
    WHERE (excluded.revision, excluded.retracted) > (h.revision, h.retracted)
    RETURNING id, status

-- name: CONFLICTS
SELECT h.id FROM highlights AS h JOIN json_populate_recordset(NULL::highlights, cast(:rows AS json)) AS r USING (id)
    WHERE (h.revision, h.retracted) = (r.revision, r.retracted)
        AND ROW (h.match_id, h.occurred_at, h.event_type, h.team, h.player, h.assist, h.description, h.event_id, h.revision, h.retracted, h.reason, h.period, h.minute, h.added_time, h.home_team, h.away_team, h.home_score, h.away_score, h.home_shootout_score, h.away_shootout_score, h.metadata)::text <> ROW (r.match_id, r.occurred_at, r.event_type, r.team, r.player, r.assist, r.description, r.event_id, r.revision, r.retracted, r.reason, r.period, r.minute, r.added_time, r.home_team, r.away_team, r.home_score, r.away_score, r.home_shootout_score, r.away_shootout_score, r.metadata)::text

-- name: CLAIM
WITH due AS (
        SELECT id FROM highlights
        WHERE status = 'PENDING_AI' AND available_at <= now() AND (
            lease IS NOT NULL AND leased_until > now()
            AND leased_until <= now() + make_interval(secs => :ahead_s)) IS NOT TRUE
        ORDER BY available_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), ahead AS (
        SELECT id FROM highlights
        WHERE status = 'PENDING_AI' AND available_at > now() + make_interval(secs => :ahead_s)
            AND (
            lease IS NOT NULL AND leased_until > now()
            AND leased_until <= now() + make_interval(secs => :ahead_s)) IS NOT TRUE
        ORDER BY available_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE highlights AS h
    SET lease = gen_random_uuid(), attempts = attempts + 1,
        leased_until = clock_timestamp() + make_interval(secs => :lease_s)
    FROM (SELECT id FROM ahead UNION ALL SELECT id FROM due LIMIT :limit) AS next
    WHERE h.id = next.id
    RETURNING h.id, h.lease, h.match_id, h.traceparent, h.attempts, h.event_type, h.team, h.player, h.assist, h.description, h.period, h.minute, h.added_time, h.home_team, h.away_team, h.home_score, h.away_score, h.home_shootout_score, h.away_shootout_score

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
        available_at = clock_timestamp() + make_interval(
            secs => least(:backoff_s * power(2, h.attempts - 1), 3600)),
        updated_at = CASE WHEN last THEN clock_timestamp() ELSE h.updated_at END
    FROM failed AS f WHERE h.id = f.id
    RETURNING h.id, h.status

-- name: COUNT_PENDING
SELECT count(*) FROM highlights WHERE status = 'PENDING_AI'

-- name: GET
SELECT h.id, rfc3339(h.occurred_at), row_to_json(d)::text FROM highlights AS h, LATERAL (SELECT h.id AS "id", h.match_id AS "matchId", rfc3339(h.occurred_at) AS "occurredAt", h.event_type AS "eventType", h.team AS "team", h.player AS "player", h.assist AS "assist", h.description AS "description", h.event_id AS "eventId", h.revision AS "revision", h.reason AS "reason", h.period AS "period", h.minute AS "minute", h.added_time AS "addedTime", h.home_team AS "homeTeam", h.away_team AS "awayTeam", h.home_score AS "homeScore", h.away_score AS "awayScore", h.home_shootout_score AS "homeShootoutScore", h.away_shootout_score AS "awayShootoutScore", h.metadata AS "metadata", h.status AS "status", h.title AS "title", h.summary AS "summary", h.thumbnail_url AS "thumbnailUrl", rfc3339(h.created_at) AS "createdAt", rfc3339(h.updated_at) AS "updatedAt") AS d
    WHERE h.id = :id AND h.status <> 'IGNORED'

-- name: LIST
SELECT h.id, rfc3339(h.occurred_at), row_to_json(d)::text, (SELECT change_cursor()) FROM (SELECT * FROM highlights AS h WHERE h.match_id = :match_id AND h.status IN ('PENDING_AI', 'READY', 'FAILED_AI') ORDER BY h.occurred_at DESC, h.id DESC LIMIT :limit OFFSET :offset) AS h, LATERAL (SELECT h.id AS "id", h.match_id AS "matchId", rfc3339(h.occurred_at) AS "occurredAt", h.event_type AS "eventType", h.team AS "team", h.player AS "player", h.assist AS "assist", h.description AS "description", h.event_id AS "eventId", h.revision AS "revision", h.reason AS "reason", h.period AS "period", h.minute AS "minute", h.added_time AS "addedTime", h.home_team AS "homeTeam", h.away_team AS "awayTeam", h.home_score AS "homeScore", h.away_score AS "awayScore", h.home_shootout_score AS "homeShootoutScore", h.away_shootout_score AS "awayShootoutScore", h.metadata AS "metadata", h.status AS "status", h.title AS "title", h.summary AS "summary", h.thumbnail_url AS "thumbnailUrl", rfc3339(h.created_at) AS "createdAt", rfc3339(h.updated_at) AS "updatedAt") AS d
        ORDER BY h.occurred_at DESC, h.id DESC
