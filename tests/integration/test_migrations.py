"""Migrations on a real Postgres."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from shutil import copy

import pytest

from functions.shared.postgres.connection import connect
from infra.migrate import MIGRATIONS, migrate

TIMEOUT_S = 30
RUNS = 4


def _migrate(url: str, folder: Path = MIGRATIONS) -> list[str]:
    with closing(connect(url, TIMEOUT_S)) as connection:
        return migrate(connection, folder)


def test_a_second_run_finds_nothing_to_do(empty_database: str) -> None:
    """Migrations are applied once, in order."""
    assert _migrate(empty_database) == sorted(path.stem for path in MIGRATIONS.glob("*.sql"))
    assert _migrate(empty_database) == []


def test_runs_at_the_same_time_apply_each_migration_once(empty_database: str) -> None:
    """The second run waits, and finds nothing to do."""
    with ThreadPoolExecutor(RUNS) as pool:
        applied = list(pool.map(_migrate, [empty_database] * RUNS))
    assert sorted(map(len, applied)) == [0] * (RUNS - 1) + [len(list(MIGRATIONS.glob("*.sql")))]


OLD_ROW = """
    INSERT INTO highlights (id, match_id, event_id, revision, retracted, occurred_at, event_type,
        team, home_team, away_team, status)
    VALUES (gen_random_uuid(), gen_random_uuid(), '1', 2147483647, false, now(), :event_type,
        :team, :home_team, :away_team, 'READY')
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("Own Goal", "home", "Argentina", "France"), ["own_goal", "home", "argentina"]),
        (("ownGoal", "FRANCE", "Argentina", "France"), ["own_goal", "away", "france"]),
        (("goal_penalty", "Sa\u0303o Paulo", None, None), ["penalty_goal", None, "s\u00e3o paulo"]),
        (("yellow_card", None, "Argentina", "France"), ["yellow_card", None, None]),
        (("-", "AWAY", None, None), ["-", "away", None]),
    ],
)
def test_rows_of_the_first_schema_are_found_like_new_ones(
    empty_database: str, tmp_path: Path, old: tuple[str, ...], new: list[str]
) -> None:
    """Their types are case-folded, and their team has a side."""
    first, *_ = sorted(MIGRATIONS.glob("*.sql"))
    copy(first, tmp_path)
    _migrate(empty_database, tmp_path)
    names = ("event_type", "team", "home_team", "away_team")
    with closing(connect(empty_database, TIMEOUT_S)) as connection:
        connection.run(OLD_ROW, **dict(zip(names, old, strict=True)))
        _migrate(empty_database)
        rows = connection.run("SELECT event_type, side, team_key, revision FROM highlights")
    assert rows == [[*new, 2147483647]]
