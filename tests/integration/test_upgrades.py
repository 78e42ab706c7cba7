"""A migration while functions of the previous schema run; they work during and after it."""

import asyncio
import re
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path
from shutil import copy
from uuid import UUID, uuid4

import orjson
import pytest
from pydantic.alias_generators import to_snake

from functions.shared.contract.event import highlight_id
from functions.shared.postgres.change_feed import ChangeFeed
from functions.shared.postgres.connection import connect
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import load
from infra.migrate import MIGRATIONS, MigrationFailed, migrate
from local.stack import ROOT
from tests.integration.statements import FOLDER, statements
from tests.integration.statements.__main__ import NAMED
from tests.support.builders.events import FIRST_GOAL
from tests.support.waiting import eventually

TIMEOUT_S = 30
CALLERS = 4
NAMES = sorted(path.stem for path in MIGRATIONS.glob("*.sql"))
SCHEMA = """
    SELECT indexdef FROM pg_indexes WHERE tablename = 'highlights'
    UNION ALL SELECT concat_ws(' ', column_name, data_type, is_nullable, column_default)
        FROM information_schema.columns WHERE table_name = 'highlights'
    ORDER BY 1
"""
FILES = "SELECT relname, relfilenode FROM pg_class WHERE relname ~ 'change$|_latest$|_newest$'"
PUT_OFF = {"wait_s": 0, "failed": True}
TEXT = {
    "title": "Goal", "summary": "A goal.", "texts": {"en": {"title": "Goal", "summary": "A goal."}},
    "enriched_by": "template",
}  # fmt: skip
ALL = {
    "limit": 100, "lease_s": 60, "ahead_s": 3600, "attempts": 1000, "backoff_s": 0, "offset": 0,
    "lang": None,
}  # fmt: skip


def up_to(migration: str, folder: Path) -> Path:
    """Return a folder with the migrations up to this one."""
    for name in NAMES[: NAMES.index(migration) + 1]:
        copy(MIGRATIONS / f"{name}.sql", folder)
    return folder


def apply(url: str, folder: Path = MIGRATIONS, **options: float) -> list[str]:
    """Migrate a database."""
    with closing(connect(url, TIMEOUT_S)) as connection:
        return migrate(connection, folder, **options)


async def live(postgres: Postgres, sql: Mapping[str, str], match_id: UUID, event_id: str) -> None:
    """Record a goal, enrich it, and read it, as the functions do."""
    id_ = highlight_id(match_id, event_id)
    goal = {**FIRST_GOAL, "id": id_, "matchId": match_id, "eventId": event_id, "revision": 0,
            "retracted": False, "status": "PENDING_AI"}  # fmt: skip
    row = goal | {to_snake(name): value for name, value in goal.items()}  # the oldest took JSON's
    await postgres.run(sql["RECORD"], rows=orjson.dumps([row]).decode())
    await postgres.run(sql["COUNT_PENDING"], ahead_s=3600)
    for statement, more in (("GIVE_BACK", PUT_OFF), ("FINISH", TEXT)):
        leases = [
            {"id": claimed, "lease": lease, **more}
            for claimed, lease, *_ in await postgres.run(sql["CLAIM"], **ALL)
        ]
        await postgres.run(sql[statement], rows=orjson.dumps(leases).decode(), **ALL)
    listed = await postgres.run(sql["LIST"], match_id=match_id, **ALL)
    assert id_ in [str(each) for each, *_ in listed]
    assert await postgres.run(sql["GET"], id=id_, lang=None)


class Traffic:
    """Continuous calls of functions that use a database; exit fails if one of them failed."""

    def __init__(self, url: str, sql: Mapping[str, str]) -> None:
        self._postgres = Postgres(load(PostgresSettings, {"DATABASE_URL": url}))
        self._sql = sql
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(CALLERS)
        self.lives: list[str] = []

    def __enter__(self) -> "Traffic":
        self._callers = [self._pool.submit(self._call) for _ in range(CALLERS)]
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._pool.shutdown()
        self._postgres.close()
        for caller in self._callers:
            caller.result()

    def make_progress(self) -> None:
        """Wait until each caller has made some more calls."""
        wanted = len(self.lives) + 4 * CALLERS
        eventually(lambda: len(self.lives) >= wanted or self._have_failed())

    def _have_failed(self) -> bool:
        return any(caller.done() for caller in self._callers)

    def _call(self) -> None:
        match_id = uuid4()
        for number in count():
            if self._ended.is_set():
                return
            asyncio.run(live(self._postgres, self._sql, match_id, str(number)))
            self.lives.append(highlight_id(match_id, str(number)))


@pytest.mark.parametrize("migration", NAMES[:-1])
def test_functions_of_an_older_schema_work_during_and_after_a_migration(
    empty_database: str, tmp_path: Path, migration: str
) -> None:
    """None of their statements fails; new rows are read like old ones."""
    apply(empty_database, up_to(migration, tmp_path))
    with Traffic(empty_database, statements(migration)) as old:
        old.make_progress()
        assert apply(empty_database) == NAMES[NAMES.index(migration) + 1 :]
        old.make_progress()
        with Traffic(empty_database, NAMED) as new:  # both, while functions are replaced
            new.make_progress()
    with closing(connect(empty_database, TIMEOUT_S)) as connection:
        for id_ in old.lives:
            ((_, _, document),) = connection.run(NAMED["GET"], id=id_, lang=None)
            shown = orjson.loads(document)
            assert shown["status"] in {"READY", "PENDING_AI"}
            assert shown["player"] == FIRST_GOAL["player"]


@pytest.mark.parametrize("migration", NAMES[:-1])
def test_the_change_feed_tells_what_functions_of_an_older_schema_change(
    empty_database: str, tmp_path: Path, migration: str
) -> None:
    """Though their statements know nothing of it."""
    apply(empty_database, up_to(migration, tmp_path))
    apply(empty_database)
    postgres = Postgres(load(PostgresSettings, {"DATABASE_URL": empty_database}))

    async def scenario() -> None:
        feed, match_id = ChangeFeed(postgres), uuid4()
        before = await feed.now()
        await live(postgres, statements(migration), match_id, "1")
        (change,) = (await feed.read(before, {}, 10)).changes
        assert change.cursor.id == UUID(highlight_id(match_id, "1"))
        assert orjson.loads(change.json)["status"] == "READY"

    try:
        asyncio.run(scenario())
    finally:
        postgres.close()


def test_indexes_can_be_built_before_the_migration(empty_database: str, tmp_path: Path) -> None:
    """By what the page on upgrades says, while functions run; the schema is the same in the end."""
    with closing(connect(empty_database, TIMEOUT_S)) as connection:
        apply(empty_database)
        wanted = connection.run(SCHEMA)
        connection.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        old = "0003_leases_in_place"
        apply(empty_database, up_to(old, tmp_path))
        page = (ROOT / "docs/upgrades.md").read_text()
        by_hand = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)[0].strip().splitlines()
        with Traffic(empty_database, statements(old)) as traffic:
            for statement in by_hand:
                connection.run(statement)
            traffic.make_progress()
        built = dict(connection.run(FILES))
        del built["highlights_newest"]  # which the migration replaces
        apply(empty_database)
        assert (
            built.items()
            <= {
                name.replace("newest", "latest"): file for name, file in connection.run(FILES)
            }.items()
        )
        assert connection.run(SCHEMA) == wanted


def test_every_schema_has_the_statements_of_its_functions() -> None:
    """Those of the current schema are in the code."""
    assert sorted(path.stem for path in FOLDER.glob("*.sql")) == NAMES[:-1]


def test_a_migration_that_waits_for_a_table_lets_others_use_it(
    empty_database: str, tmp_path: Path
) -> None:
    """Even if it waits for a long transaction."""
    apply(empty_database, up_to(NAMES[0], tmp_path))
    with (
        closing(connect(empty_database, TIMEOUT_S)) as long,
        closing(connect(empty_database, 1)) as reader,
        ThreadPoolExecutor(1) as pool,
    ):
        long.run("BEGIN; SELECT FROM highlights")
        migrating = pool.submit(apply, empty_database, lock_timeout_s=0.2)
        waiting = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted"
        for _ in range(3):
            eventually(lambda: long.run(waiting) == [[1]])
            reader.run("SELECT FROM highlights LIMIT 1")
        assert not migrating.done()
        long.run("COMMIT")
        assert migrating.result(TIMEOUT_S) == NAMES[1:]


def test_a_table_that_stays_locked_is_an_error(empty_database: str, tmp_path: Path) -> None:
    """With the message of Postgres, and nothing is changed."""
    apply(empty_database, up_to(NAMES[0], tmp_path))
    with closing(connect(empty_database, TIMEOUT_S)) as long:
        long.run("BEGIN; SELECT FROM highlights")
        with pytest.raises(MigrationFailed) as error:
            apply(empty_database, lock_timeout_s=0.1, retry_for_s=0.3)
        assert str(error.value) == (
            f"infra/migrations/{NAMES[1]}.sql failed, and nothing was changed:"
            " canceling statement due to lock timeout (SQLSTATE 55P03)"
        )
        assert long.run("SELECT name FROM migrations") == [[NAMES[0]]]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "-- Wrong in its third line.\nSELECT 1;\nALTER TABLE highlights ADD COLUM x int",
            ', line 3, failed, and nothing was changed: syntax error at or near "int"'
            " (SQLSTATE 42601)",
        ),
        (
            "ALTER TABLE highlights ADD COLUMN team text",
            ' failed, and nothing was changed: column "team" of relation "highlights" already'
            " exists (SQLSTATE 42701)",
        ),
        (
            "INSERT INTO migrations VALUES ('a'), ('a')",
            " failed, and nothing was changed: duplicate key value violates unique constraint"
            ' "migrations_pkey". Key (name)=(a) already exists (SQLSTATE 23505)',
        ),
    ],
)
def test_a_migration_that_fails_is_an_error_of_one_line_and_changes_nothing(
    empty_database: str, tmp_path: Path, sql: str, message: str
) -> None:
    """With its name and line and the message of Postgres; the whole run is rolled back."""
    folder = up_to(NAMES[-1], tmp_path)
    broken = folder / "9999_broken.sql"
    broken.write_text(sql)
    with pytest.raises(MigrationFailed) as error:
        apply(empty_database, folder)
    assert str(error.value) == f"{broken}{message}"
    with closing(connect(empty_database, TIMEOUT_S)) as connection:
        assert connection.run("SELECT to_regclass('highlights')") == [[None]]
