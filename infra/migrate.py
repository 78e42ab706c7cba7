"""`python -m infra.migrate`: migrate the database at DATABASE_URL, and grant its roles.

Safe to run twice, at the same time (the second run waits for the lock, then finds nothing to do),
and while functions run: docs/upgrades.md.
"""

import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated

from pg8000.native import Connection, DatabaseError, InterfaceError
from pydantic import AfterValidator, SecretStr

from functions.shared.postgres.change_sql import RENUMBER
from functions.shared.postgres.connection import connect
from functions.shared.postgres.errors import sqlstate
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import load
from infra.grants import grant, valid_password
from infra.roles import READER, WRITER

MIGRATIONS = Path(__file__).with_name("migrations")
ROOT = Path(__file__).parents[1]
LOCK = 0x60A15  # any number that all runs share
# While a migration waits for a table, all others queue behind it. A function waits longer, and
# Postgres takes a second (deadlock_timeout) to cancel an autovacuum that holds the table.
LOCK_TIMEOUT_S = 1.5
RETRY_FOR_S = 60.0
BUSY = ("55P03", "40P01")  # the lock time-out; a deadlock that Postgres has broken


class MigrateSettings(PostgresSettings):
    """The database, with its owner as user, and the passwords of the roles to create."""

    database_reader_password: Annotated[SecretStr, AfterValidator(valid_password)] | None = None
    database_writer_password: Annotated[SecretStr, AfterValidator(valid_password)] | None = None


class MigrationFailed(Exception):
    """Postgres refused a migration, and nothing was changed; the message says where."""

    def __init__(self, path: Path, sql: str, error: DatabaseError) -> None:
        position = int(_fields(error).get("P", 0))
        line = f", line {sql[: position - 1].count(chr(10)) + 1}," if position else ""
        file = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        super().__init__(f"{file}{line} failed, and nothing was changed: {describe(error)}")
        self.is_busy = sqlstate(error) in BUSY


def describe(error: DatabaseError) -> str:
    """Return an error of Postgres in one line: message, detail, hint and SQLSTATE."""
    fields = _fields(error)
    text = ". ".join(str(fields[name]).rstrip(".") for name in "MDH" if fields.get(name))
    return f"{' '.join(text.split()) or error} (SQLSTATE {sqlstate(error) or 'unknown'})"


def _fields(error: DatabaseError) -> Mapping[str, str]:
    """Return the fields of an error of Postgres, by their letters in its protocol."""
    fields = error.args[0] if error.args else None
    return fields if isinstance(fields, dict) else {}


def migrate(
    connection: Connection,
    folder: Path = MIGRATIONS,
    *,
    lock_timeout_s: float = LOCK_TIMEOUT_S,
    retry_for_s: float = RETRY_FOR_S,
) -> list[str]:
    """Apply the missing migrations, all or none; return their names.

    If the lock of a table is not free within `lock_timeout_s` seconds, the run is retried after
    as long a pause, in which others can work; for `retry_for_s` seconds in total.

    Raises:
        MigrationFailed: Postgres refused one of them.
    """
    deadline = time.monotonic() + retry_for_s
    while True:
        try:
            return _migrate_once(connection, folder, lock_timeout_s)
        except MigrationFailed as error:
            if not error.is_busy or time.monotonic() > deadline:
                raise
        time.sleep(lock_timeout_s)


def _migrate_once(connection: Connection, folder: Path, lock_timeout_s: float) -> list[str]:
    connection.run("BEGIN")
    try:
        connection.run(f"SELECT pg_advisory_xact_lock({LOCK})")
        connection.run(f"SET LOCAL lock_timeout = '{lock_timeout_s * 1000:.0f}ms'")
        applied = _apply_missing(connection, folder)
    except BaseException:
        connection.run("ROLLBACK")
        raise
    connection.run("COMMIT")
    return applied


def _apply_missing(connection: Connection, folder: Path) -> list[str]:
    connection.run(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    known = {name for (name,) in connection.run("SELECT name FROM migrations")}
    missing = [path for path in sorted(folder.glob("*.sql")) if path.stem not in known]
    for path in missing:
        sql = path.read_text()
        try:
            connection.run(sql)
        except DatabaseError as error:
            raise MigrationFailed(path, sql, error) from error
        connection.run("INSERT INTO migrations (name) VALUES (:name)", name=path.stem)
    return [path.stem for path in missing]


def renumber(connection: Connection) -> list[str]:
    """After a restore to another server, give rows numbers of its transactions; tell how many."""
    rows = connection.run(RENUMBER)
    return [f"change feed: {len(rows)} highlights begin anew after a restore"] if rows else []


def main() -> None:
    """Migrate, grant the roles their privileges, and print the changes."""
    settings = load(MigrateSettings)
    passwords = {
        READER: settings.database_reader_password,
        WRITER: settings.database_writer_password,
    }
    try:
        with closing(connect(settings.database_url, 300, settings.database_password)) as connection:
            applied = migrate(connection)
            granted = grant(connection, passwords)
            renumbered = renumber(connection)
    except MigrationFailed as error:
        sys.exit(str(error))
    except DatabaseError as error:
        sys.exit(f"the database could not be migrated: {describe(error)}")
    except (InterfaceError, OSError) as error:
        sys.exit(f"the database could not be migrated: {error}")
    lines = [f"applied: {', '.join(applied) or 'nothing, the schema is up to date'}", *granted]
    lines += renumbered
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
