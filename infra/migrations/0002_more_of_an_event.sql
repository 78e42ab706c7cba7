-- More fields of an event, a status for events that make no highlight, and columns for the filters of
-- lists. Functions of the previous schema work meanwhile: they write none of these.
ALTER TABLE highlights
    ALTER COLUMN revision TYPE bigint,
    ADD COLUMN assist              text,
    ADD COLUMN period              text,
    ADD COLUMN home_shootout_score smallint,
    ADD COLUMN away_shootout_score smallint,
    ADD COLUMN reason              text,
    ADD COLUMN metadata            json, -- not jsonb, which would change its format
    -- The side of `team`, and its name in NFC with its case folded.
    ADD COLUMN side                text CHECK (side IN ('home', 'away')),
    ADD COLUMN team_key            text,
    DROP CONSTRAINT highlights_status_check,
    -- IGNORED is an event that makes no highlight, stored so that no lower revision of it makes one.
    ADD CONSTRAINT highlights_status_check
        CHECK (status IN ('PENDING_AI', 'READY', 'FAILED_AI', 'RETRACTED', 'IGNORED'));

UPDATE highlights SET event_type = folded FROM (
    SELECT id AS of, CASE words WHEN 'goal_own' THEN 'own_goal' WHEN 'owngoal' THEN 'own_goal'
        WHEN 'goal_penalty' THEN 'penalty_goal' WHEN 'penaltygoal' THEN 'penalty_goal'
        WHEN '' THEN event_type ELSE words END AS folded
    FROM highlights, LATERAL (SELECT lower(trim(BOTH '_' FROM regexp_replace(
        regexp_replace(event_type, '([a-z0-9])([A-Z])', '\1_\2', 'g'), '[\s_-]+', '_', 'g')))
        AS words) AS spelt
    WHERE event_type ~ '[^a-z0-9_]' OR event_type IN ('goal_own', 'owngoal', 'goal_penalty', 'penaltygoal')
) AS spelling WHERE id = of AND event_type <> folded;

UPDATE highlights SET side = told.side, team_key = lower(normalize(
    CASE told.side WHEN 'home' THEN home_team WHEN 'away' THEN away_team ELSE team END, NFC))
FROM (
    SELECT id AS of, CASE WHEN home = away THEN NULL WHEN home THEN 'home' ELSE 'away' END AS side
    FROM highlights, LATERAL (SELECT
        lower(normalize(team, NFC)) IN ('home', lower(normalize(coalesce(home_team, 'home'), NFC))) AS home,
        lower(normalize(team, NFC)) IN ('away', lower(normalize(coalesce(away_team, 'away'), NFC))) AS away
    ) AS sides
    WHERE team IS NOT NULL
) AS told WHERE id = of;

-- Lists never return IGNORED rows, so their indexes do not contain them.
DROP INDEX highlights_newest, highlights_by_match, highlights_by_team, highlights_by_event_type,
    highlights_by_update;
CREATE INDEX highlights_newest ON highlights (occurred_at DESC, id DESC)
    WHERE status IN ('PENDING_AI', 'READY', 'FAILED_AI');
CREATE INDEX highlights_by_match ON highlights (match_id, occurred_at DESC, id DESC)
    WHERE status <> 'IGNORED';
CREATE INDEX highlights_by_side ON highlights (side, occurred_at DESC, id DESC)
    WHERE status <> 'IGNORED';
CREATE INDEX highlights_by_team ON highlights (team_key, occurred_at DESC, id DESC)
    WHERE status <> 'IGNORED';
CREATE INDEX highlights_by_event_type ON highlights (event_type, occurred_at DESC, id DESC)
    WHERE status <> 'IGNORED';
CREATE INDEX highlights_by_update ON highlights (updated_at) WHERE status <> 'IGNORED';
