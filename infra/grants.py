"""Create the roles of infra/roles.py, and grant each its privileges and no others.

Safe to run twice and at the same time, also in several databases of one cluster: roles belong to
the cluster, privileges to a database.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pg8000.native import Connection, DatabaseError, identifier, literal
from pydantic import SecretStr
from scramp import ScramException, ScramMechanism

from functions.shared.postgres.errors import sqlstate
from infra.roles import PRIVILEGES, Privileges

Result = TypeVar("Result")

LOCK = 0x60A16  # any number that all runs share
ATTEMPTS = 20
# Another run created or altered the same role at the same time. That one has succeeded, so that a
# retry has one run fewer to conflict with.
CONFLICT = ("23505", "42710", "XX000")
INSUFFICIENT_PRIVILEGE = "42501"

# The functions in the schema that this user owns, without those of extensions.
FUNCTIONS = """
    SELECT p.oid::regprocedure::text FROM pg_proc AS p
    WHERE p.pronamespace = current_schema()::regnamespace AND pg_has_role(p.proowner, 'USAGE')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
"""
# Privileges that a role has without our granting them: by membership in another role, or because
# they were granted to PUBLIC.
EXCESS = """
    SELECT CASE WHEN has_table_privilege(:role, 'highlights', 'DELETE') THEN 'DELETE' END,
        CASE WHEN has_schema_privilege(:role, current_schema(), 'CREATE') THEN 'CREATE' END
"""


def grant(
    connection: Connection,
    passwords: Mapping[str, SecretStr | None],
    privileges: Privileges = PRIVILEGES,
) -> list[str]:
    """Create or alter the roles that are given a password, and grant to all roles that exist.

    Return a line for each role, and a warning for each with more privileges than these. A role that
    this user may not create or alter is left unchanged.

    Raises:
        DatabaseError: a table is missing, or this user does not own it.
    """
    lines = []
    for role, password in passwords.items():
        outcome = _retry_on_conflict(lambda: _ensure(connection, role, password))  # noqa: B023
        lines.append(f"{role}: {outcome}")
    existing = {role: privileges[role] for role in passwords if _exists(connection, role)}
    _retry_on_conflict(lambda: _grant_all(connection, existing))
    return lines + [line for role in existing for line in _warnings(connection, role)]


def _retry_on_conflict(step: Callable[[], Result]) -> Result:
    for _ in range(ATTEMPTS):
        try:
            return step()
        except DatabaseError as error:
            if sqlstate(error) not in CONFLICT:
                raise
    return step()


def _ensure(connection: Connection, role: str, password: SecretStr | None) -> str:
    exists = _exists(connection, role)
    if password is None:
        return "granted, password unchanged" if exists else "skipped: no password is given"
    verb = "ALTER" if exists else "CREATE"
    try:
        connection.run(
            f"{verb} ROLE {identifier(role)} LOGIN PASSWORD {literal(scram_verifier(password))}"
        )
    except DatabaseError as error:
        if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
            raise
        if exists:
            return "granted, password unchanged: this user may not alter the role"
        return "missing: this user may not create roles"
    return "granted, password set" if exists else "created"


def _exists(connection: Connection, role: str) -> bool:
    return bool(connection.run("SELECT FROM pg_roles WHERE rolname = :role", role=role))


def _grant_all(connection: Connection, privileges: Privileges) -> None:
    connection.run("BEGIN")
    try:
        connection.run(f"SELECT pg_advisory_xact_lock({LOCK})")
        for statement in _statements(connection, privileges):
            connection.run(statement)
    except BaseException:
        connection.run("ROLLBACK")
        raise
    connection.run("COMMIT")


def _statements(connection: Connection, privileges: Privileges) -> Iterator[str]:
    ((schema, database, owns_database),) = connection.run(
        "SELECT current_schema(), current_database(), pg_has_role(datdba, 'USAGE')"
        " FROM pg_database WHERE datname = current_database()"
    )
    if privileges and owns_database:  # PUBLIC has it by default, and with it may create tables
        yield f"REVOKE TEMPORARY ON DATABASE {identifier(database)} FROM PUBLIC"
    functions = [name for (name,) in connection.run(FUNCTIONS)]
    for role, tables in privileges.items():
        may_use = "SELECT has_schema_privilege(:role, current_schema(), 'USAGE')"
        if connection.run(may_use, role=role) == [[False]]:
            yield f"GRANT USAGE ON SCHEMA {identifier(schema)} TO {identifier(role)}"
        for table, granted in tables.items():
            yield f"REVOKE ALL ON {identifier(table)} FROM {identifier(role)}"
            yield f"GRANT {granted} ON {identifier(table)} TO {identifier(role)}"
        for function in functions:
            yield f"GRANT EXECUTE ON FUNCTION {function} TO {identifier(role)}"


def _warnings(connection: Connection, role: str) -> Iterator[str]:
    (excess,) = connection.run(EXCESS, role=role)
    if names := ", ".join(filter(None, excess)):
        yield (
            f"{role}: has more privileges than these, from PUBLIC or from another role: {names};"
            " revoke them"
        )


def scram_verifier(password: SecretStr) -> str:
    """Return the SCRAM verifier of a password: with it, no log of Postgres has the password."""
    made = ScramMechanism("SCRAM-SHA-256").make_auth_info(password.get_secret_value())
    salt, stored, server = (b64encode(part).decode() for part in made[:3])
    return f"SCRAM-SHA-256${made[3]}:{salt}${stored}:{server}"


def valid_password(password: SecretStr) -> SecretStr:
    """Return the password unchanged.

    Raises:
        ValueError: it has a character that SCRAM forbids; the message does not quote it.
    """
    try:
        scram_verifier(password)
    except ScramException:
        raise ValueError("it has a character that is not allowed in a password") from None
    return password
