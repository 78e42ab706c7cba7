"""`python -m infra.migrate`: migrate the database at DATABASE_URL, and grant its roles.

Safe to run twice and at the same time: each run waits for the lock, then finds nothing to do.
"""

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

from pg8000.native import Connection, DatabaseError, InterfaceError
from pydantic import AfterValidator, SecretStr

from functions.shared.postgres import connect
from functions.shared.settings import PostgresSettings, load
from infra.grants import checked_password, grant
from infra.roles import READER, WRITER

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 0x60A15  # any number, as long as all runs take the same


class MigrateSettings(PostgresSettings):
    """The database, reached as its owner, and the passwords of the roles to create."""

    database_reader_password: Annotated[SecretStr, AfterValidator(checked_password)] | None = None
    database_writer_password: Annotated[SecretStr, AfterValidator(checked_password)] | None = None


def migrate(connection: Connection, folder: Path = MIGRATIONS) -> list[str]:
    """Apply the migrations that are missing, all or none; returns their names."""
    connection.run("BEGIN")
    try:
        connection.run(f"SELECT pg_advisory_xact_lock({LOCK})")
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
        connection.run(path.read_text())
        connection.run("INSERT INTO migrations (name) VALUES (:name)", name=path.stem)
    return [path.stem for path in missing]


def main() -> None:
    """Migrate, grant the roles their privileges, and print what was done."""
    settings = load(MigrateSettings)
    passwords = {
        READER: settings.database_reader_password,
        WRITER: settings.database_writer_password,
    }
    try:
        with closing(connect(settings.database_url, 300, settings.database_password)) as connection:
            applied = migrate(connection)
            granted = grant(connection, passwords)
    except (InterfaceError, DatabaseError, OSError) as error:
        sys.exit(f"the database could not be migrated: {error}")
    lines = [f"applied: {', '.join(applied) or 'nothing, the schema is up to date'}", *granted]
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
