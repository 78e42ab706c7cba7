"""Migrations on a real Postgres."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from functions.shared.postgres import connect
from infra.migrate import MIGRATIONS, migrate

TIMEOUT_S = 30
RUNS = 4


def _migrate(url: str) -> list[str]:
    with closing(connect(url, TIMEOUT_S)) as connection:
        return migrate(connection)


def test_a_second_run_finds_nothing_to_do(empty_database: str) -> None:
    """Migrations are applied once, in order."""
    assert _migrate(empty_database) == sorted(path.stem for path in MIGRATIONS.glob("*.sql"))
    assert _migrate(empty_database) == []


def test_runs_at_the_same_time_apply_each_migration_once(empty_database: str) -> None:
    """Whoever comes second waits, and finds nothing to do."""
    with ThreadPoolExecutor(RUNS) as pool:
        applied = list(pool.map(_migrate, [empty_database] * RUNS))
    assert sorted(map(len, applied)) == [0] * (RUNS - 1) + [len(list(MIGRATIONS.glob("*.sql")))]
