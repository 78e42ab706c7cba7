"""Makes the roles of infra/roles.py where it may, and gives each its rights and no others.

Safe to run twice and at the same time, on other databases of the same cluster too: roles are the
cluster's, rights the database's.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pg8000.native import Connection, DatabaseError, identifier, literal
from pydantic import SecretStr
from scramp import ScramException, ScramMechanism

from functions.shared.postgres import sqlstate
from infra.roles import TABLES

Rights = Mapping[str, Mapping[str, str]]  # of each role, on each table
T = TypeVar("T")

LOCK = 0x60A16  # any number, as long as all runs take the same
ATTEMPTS = 20
# Another run made the role, or changed it, at the same moment: it has got further, and ends.
CONCURRENT = ("23505", "42710", "XX000")
NOT_ALLOWED = "42501"

# The functions in the schema that are this user's, and no extension's.
FUNCTIONS = """
    SELECT p.oid::regprocedure::text FROM pg_proc AS p
    WHERE p.pronamespace = current_schema()::regnamespace AND pg_has_role(p.proowner, 'USAGE')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
"""
# What a role has beyond its rights: as a member of another, or because everybody has it.
BEYOND = """
    SELECT CASE WHEN has_table_privilege(:role, 'highlights', 'DELETE') THEN 'DELETE' END,
        CASE WHEN has_schema_privilege(:role, current_schema(), 'CREATE') THEN 'CREATE' END
"""


def grant(
    connection: Connection,
    passwords: Mapping[str, SecretStr | None],
    rights: Rights = TABLES,
) -> list[str]:
    """Make the roles that have a password here, and grant to all that are there.

    Returns a line for each role, and one for each that can do more than `rights` says. A role that
    this user may not make or change is left as it is.

    Raises:
        DatabaseError: a table is missing, or not this user's.
    """
    said = [
        f"{role}: {_persistent(lambda: _make(connection, role, password))}"  # noqa: B023 (run at once)
        for role, password in passwords.items()
    ]
    there = [role for role in passwords if _is_there(connection, role)]
    _persistent(lambda: _give_rights(connection, {role: rights[role] for role in there}))
    return said + [line for role in there for line in _warnings(connection, role)]


def _persistent(step: Callable[[], T]) -> T:
    """What a step returns, however many others do the same at the moment."""
    for _ in range(ATTEMPTS):
        try:
            return step()
        except DatabaseError as error:
            if sqlstate(error) not in CONCURRENT:
                raise
    return step()


def _make(connection: Connection, role: str, password: SecretStr | None) -> str:
    is_there = _is_there(connection, role)
    if password is None:
        return "granted; its password stays" if is_there else "left out: no password is given"
    verb = "ALTER" if is_there else "CREATE"
    try:
        connection.run(
            f"{verb} ROLE {identifier(role)} LOGIN PASSWORD {literal(verifier(password))}"
        )
    except DatabaseError as error:
        if sqlstate(error) != NOT_ALLOWED:
            raise
        if is_there:
            return "granted; its password stays, for this user may not change it"
        return "missing, and this user may not create it"
    return "granted; its password is set" if is_there else "created"


def _give_rights(connection: Connection, roles: Rights) -> None:
    connection.run("BEGIN")
    try:
        connection.run(f"SELECT pg_advisory_xact_lock({LOCK})")
        for statement in _statements(connection, roles):
            connection.run(statement)
    except BaseException:
        connection.run("ROLLBACK")
        raise
    connection.run("COMMIT")


def _is_there(connection: Connection, role: str) -> bool:
    return bool(connection.run("SELECT FROM pg_roles WHERE rolname = :role", role=role))


def checked(password: SecretStr) -> SecretStr:
    """The password as it is.

    Raises:
        ValueError: it has what none may have; says nothing else of it.
    """
    try:
        verifier(password)
    except ScramException:
        raise ValueError("it has a character that no password may have") from None
    return password


def verifier(password: SecretStr) -> str:
    """What Postgres keeps of a password; so that the password itself is in none of its logs."""
    made = ScramMechanism("SCRAM-SHA-256").make_auth_info(password.get_secret_value())
    salt, stored, server = (b64encode(part).decode() for part in made[:3])
    return f"SCRAM-SHA-256${made[3]}:{salt}${stored}:{server}"


def _statements(connection: Connection, roles: Rights) -> Iterator[str]:
    ((schema, database, is_own),) = connection.run(
        "SELECT current_schema(), current_database(), pg_has_role(datdba, 'USAGE')"
        " FROM pg_database WHERE datname = current_database()"
    )
    if roles and is_own:  # everybody has this; it makes tables
        yield f"REVOKE TEMPORARY ON DATABASE {identifier(database)} FROM PUBLIC"
    functions = [name for (name,) in connection.run(FUNCTIONS)]
    for role, tables in roles.items():
        has = "SELECT has_schema_privilege(:role, current_schema(), 'USAGE')"
        if connection.run(has, role=role) == [[False]]:
            yield f"GRANT USAGE ON SCHEMA {identifier(schema)} TO {identifier(role)}"
        for table, rights in tables.items():
            yield f"REVOKE ALL ON {identifier(table)} FROM {identifier(role)}"
            yield f"GRANT {rights} ON {identifier(table)} TO {identifier(role)}"
        for function in functions:
            yield f"GRANT EXECUTE ON FUNCTION {function} TO {identifier(role)}"


def _warnings(connection: Connection, role: str) -> Iterator[str]:
    (beyond,) = connection.run(BEYOND, role=role)
    if more := ", ".join(filter(None, beyond)):
        yield f"{role}: may do more by other means ({more}); take that from it, or from PUBLIC"
