"""A table of many realistic highlights: matches that overlap, of a goal each nine minutes."""

from typing import Final

from pg8000.native import Connection

MATCHES: Final = 200  # at the same time
GOALS: Final = 10  # of a match
BLOCK: Final = MATCHES * GOALS  # the highlights of the matches of one time
PENDING: Final = 100  # of the newest, whose texts are still to be written
RARE_EVERY: Final = 400_000  # a goal of the rare team
TRANSACTION: Final = 1_000  # rows that are committed together

# Of a thousand highlights 20 are retracted, 5 no highlights any more, one without a text; 40 are
# own goals, 80 from the spot. A team plays one match in two thousand; one match in fifty has ended
# after its first goal.
_INSERT: Final = """
    INSERT INTO highlights (
        id, match_id, event_id, revision, retracted, occurred_at, event_type, team, player, assist,
        description, period, minute, home_team, away_team, home_score, away_score, side, team_key,
        traceparent, status, title, summary, created_at, updated_at, available_at)
    SELECT md5('highlight ' || n)::uuid, md5('match ' || match)::uuid, md5('event ' || n)::uuid,
        0, status = 'RETRACTED', occurred_at,
        CASE WHEN n % 25 = 1 THEN 'own_goal' WHEN n % 25 IN (2, 3) THEN 'penalty_goal'
            ELSE 'goal' END,
        side, 'Player ' || n % 40009, CASE WHEN n % 3 > 0 THEN 'Player ' || n % 39989 END,
        'A low shot from the edge of the box into the bottom left corner.',
        CASE WHEN goal < 5 THEN 'first_half' ELSE 'second_half' END, goal * 9, home, away,
        goal / 2 + 1, (goal + 1) / 2, side, lower(CASE side WHEN 'home' THEN home ELSE away END),
        '00-' || md5('trace ' || n) || '-' || left(md5('span ' || n), 16) || '-01',
        status, title, 'Player ' || n % 40009 || ' scores in minute ' || goal * 9
            || ' to make it ' || title || ', assisted by Player ' || n % 39989
            || '. A low shot from the edge of the box into the bottom left corner.',
        occurred_at + interval '1 s', occurred_at + interval '2 s', occurred_at + interval '1 s'
    FROM generate_series({first}::bigint, {last}::bigint) AS n,
        LATERAL (SELECT n % {BLOCK} / {MATCHES} AS goal, hashint8(n) & 1023 AS chance) AS of_block,
        LATERAL (SELECT n / {BLOCK} * {MATCHES} + n % {MATCHES} AS number,
            CASE WHEN goal % 2 = 0 THEN 'home' ELSE 'away' END AS side,
            now() - ({count} - n) / {BLOCK} * interval '2 h' - interval '1 d'
                + (goal * 540 + n % {MATCHES}) * interval '1 s' AS occurred_at,
            CASE WHEN n > {count} - {PENDING} THEN 'PENDING_AI' WHEN chance < 20 THEN 'RETRACTED'
                WHEN chance < 25 THEN 'IGNORED' WHEN chance = 25 THEN 'FAILED_AI'
                ELSE 'READY' END AS status) AS of_match,
        LATERAL (SELECT CASE WHEN number % 50 = 0 THEN n + {count} ELSE number END AS match,
            CASE WHEN n % {RARE_EVERY} = 40 THEN 'Rare Rovers'
                ELSE 'Atlético Rio ' || number % 2003 END AS home,
            'Sporting Sol ' || number % 1999 AS away) AS teams,
        LATERAL (SELECT CASE WHEN status IN ('READY', 'RETRACTED') THEN
            home || ' ' || goal / 2 + 1 || '–' || (goal + 1) / 2 || ' ' || away END AS title) AS text
    ORDER BY n
"""
