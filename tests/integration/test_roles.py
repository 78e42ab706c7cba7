"""The Postgres roles of the functions: their privileges, and how they are created."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from pg8000.native import Connection, DatabaseError
from pydantic import SecretStr

from functions.shared.postgres.connection import connect
from functions.shared.postgres.errors import sqlstate
from infra.grants import grant
from infra.migrate import migrate
from infra.roles import PRIVILEGES, READER, WRITER
from local.stack.services import postgres
from local.stack.stack import Stack
from tests.support.builders.events import event_json
from tests.support.drivers.table import Table
from tests.support.waiting import eventually

TIMEOUT_S = 30
INSUFFICIENT_PRIVILEGE, WRONG_PASSWORD = "42501", "28P01"
CANARY = "canary-within-a-password"
NEW = """INSERT INTO highlights
        (id, match_id, event_id, revision, retracted, occurred_at, event_type, status)
    VALUES (gen_random_uuid(), gen_random_uuid(), '1', 0, false, now(), 'goal', 'PENDING_AI')"""
CHANGES = (NEW, "UPDATE highlights SET title = 'x'")
FORBIDDEN = (
    "DELETE FROM highlights",
    "TRUNCATE highlights",
    "DROP TABLE highlights",
    "ALTER TABLE highlights ADD COLUMN x int",
    "CREATE INDEX ON highlights (title)",
    "CREATE TABLE x ()",
    "CREATE TEMPORARY TABLE x ()",
    "CREATE FUNCTION x() RETURNS int LANGUAGE sql RETURN 1",
    "CREATE SCHEMA x",
    "CREATE ROLE x",
    "INSERT INTO migrations (name) VALUES ('x')",
    "UPDATE migrations SET name = 'x'",
    "SELECT * FROM pg_authid",
)


def connected_as(stack: Stack, role: str, database: str = "postgres") -> Connection:
    """A connection as a role."""
    url = postgres.url(stack.addresses.postgres.port or 0, role)
    return connect(re.sub(r"/[^/]*$", f"/{database}", url), TIMEOUT_S)


def is_refused(connection: Connection, statement: str) -> bool:
    """Whether Postgres refuses a statement, which is rolled back."""
    connection.run("BEGIN")
    try:
        connection.run(statement)
    except DatabaseError as error:
        if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
            raise
        return True
    finally:
        connection.run("ROLLBACK")
    return False


@contextmanager
def new_database(stack: Stack, owner: str = postgres.OWNER) -> Iterator[str]:
    """The name of a database with the tables."""
    name = f"test_{uuid4().hex}"
    with closing(connected_as(stack, postgres.OWNER)) as admin:
        admin.run(f"CREATE DATABASE {name} OWNER {owner}")
        try:
            with closing(connected_as(stack, owner, name)) as connection:
                migrate(connection)
            yield name
        finally:
            admin.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def role(stack: Stack) -> Iterator[str]:
    """The name of a new role, which is dropped afterwards."""
    name = f"test_{uuid4().hex}"
    yield name
    with closing(connected_as(stack, postgres.OWNER)) as admin:
        if admin.run("SELECT FROM pg_roles WHERE rolname = :name", name=name):
            admin.run(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.parametrize(("role", "may_change"), [(READER, False), (WRITER, True)])
def test_a_role_has_the_privileges_that_its_functions_need_and_no_others(
    stack: Stack, role: str, may_change: bool
) -> None:
    """Both read, also the version of the schema; the writer inserts and updates highlights."""
    with closing(connected_as(stack, role)) as connection:
        connection.run("SELECT count(*), max(rfc3339(created_at)) FROM highlights")
        assert connection.run("SELECT name FROM migrations")
        assert all(is_refused(connection, change) is not may_change for change in CHANGES)
        assert [each for each in FORBIDDEN if not is_refused(connection, each)] == []


def test_the_functions_of_the_stack_use_the_roles(
    table: Table, stack: Stack, http: httpx.Client
) -> None:
    """Only this test connects as the owner."""
    posted = http.post(f"{stack.events_url}/events", json=event_json())
    match = f"{stack.highlights_url}/highlights?matchId={posted.json()['matchId']}"
    eventually(lambda: [each["status"] for each in http.get(match).json()] == ["READY"])
    users = """SELECT DISTINCT usename FROM pg_stat_activity
        WHERE application_name = 'goalstream' AND pid <> pg_backend_pid()"""
    assert {user for (user,) in table.run(users)} == {READER, WRITER}


def test_every_table_is_listed_with_its_privileges(stack: Stack) -> None:
    """A migration that creates a table also adds it to infra/roles.py."""
    with new_database(stack) as name, closing(connected_as(stack, postgres.OWNER, name)) as owner:
        tables = owner.run("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S')"
            " AND relnamespace = 'public'::regnamespace")  # fmt: skip
    assert all(granted.keys() == {name for (name,) in tables} for granted in PRIVILEGES.values())


def test_concurrent_runs_in_databases_of_one_cluster_all_succeed(stack: Stack, role: str) -> None:
    """The role is created once, and has its privileges in every database."""
    tables = {role: PRIVILEGES[READER]}

    def run(name: str) -> list[str]:
        with closing(connected_as(stack, postgres.OWNER, name)) as connection:
            return [
                line
                for _ in range(3)
                for line in grant(connection, {role: SecretStr(CANARY)}, tables)
            ]

    with ExitStack() as exits:
        names = [exits.enter_context(new_database(stack)) for _ in range(3)]
        with ThreadPoolExecutor(6) as pool:
            output = [line for lines in pool.map(run, names * 2) for line in lines]
        assert output.count(f"{role}: created") == 1
        assert output.count(f"{role}: granted, password set") == len(output) - 1 == 17
        for name in names:
            with closing(connected_as(stack, role, name)) as connection:
                assert connection.run("SELECT count(*) FROM highlights") == [[0]]
                assert is_refused(connection, NEW)
            with closing(connected_as(stack, postgres.OWNER, name)) as owner:
                owner.run(f"DROP OWNED BY {role}")


@pytest.fixture
def password_required(stack: Stack, role: str) -> Iterator[None]:
    """The stack's Postgres trusts everyone, but during a test not this role."""

    def is_asked() -> bool:
        with pytest.raises(DatabaseError) as error:
            connected_as(stack, role)
        return sqlstate(error.value) == WRONG_PASSWORD

    with closing(connected_as(stack, postgres.OWNER)) as admin:
        rules = Path(admin.run("SHOW hba_file")[0][0])
        before = rules.read_text()
        rules.write_text(f"host all {role} 127.0.0.1/32 scram-sha-256\n{before}")
        admin.run("SELECT pg_reload_conf()")
        eventually(is_asked)
        yield
        rules.write_text(before)
        admin.run("SELECT pg_reload_conf()")


@pytest.mark.usefixtures("password_required")
@pytest.mark.parametrize("password", [CANARY, f"{CANARY}'\\ é日"])
def test_a_password_is_set_and_is_not_logged(stack: Stack, role: str, password: str) -> None:
    """Not even when Postgres logs every statement; a second run replaces it."""
    port = stack.addresses.postgres.port
    url = f"postgresql://{role}@127.0.0.1:{port}/postgres"
    with closing(connected_as(stack, postgres.OWNER)) as owner:
        owner.run("SET log_statement = 'all'")
        for given in ("another", password):
            grant(owner, {role: SecretStr(given)}, {role: PRIVILEGES[READER]})
    connect(url, TIMEOUT_S, SecretStr(password)).close()
    with pytest.raises(DatabaseError) as error:
        connect(url, TIMEOUT_S, SecretStr("another"))
    assert sqlstate(error.value) == WRONG_PASSWORD
    log = (stack.state.logs / "postgres.log").read_text()
    assert f'CREATE ROLE "{role}"' in log or f"CREATE ROLE {role}" in log
    assert CANARY not in log


def test_without_createrole_it_warns_and_grants_to_existing_roles(stack: Stack, role: str) -> None:
    """Once an administrator has created the role, the next run grants its privileges."""
    owner = f"{role}_owner"
    wanted = {role: SecretStr(CANARY)}, {role: PRIVILEGES[WRITER]}
    with closing(connected_as(stack, postgres.OWNER)) as admin:
        admin.run(f"CREATE ROLE {owner} LOGIN")
        try:
            with (
                new_database(stack, owner) as name,
                closing(connected_as(stack, owner, name)) as connection,
            ):
                output = [grant(connection, *wanted)]
                admin.run(f"CREATE ROLE {role} LOGIN")
                output += [grant(connection, *wanted), grant(connection, {role: None}, wanted[1])]
                with closing(connected_as(stack, role, name)) as other:
                    assert not is_refused(other, NEW)
                    assert is_refused(other, "DELETE FROM highlights")
                connection.run(f"GRANT DELETE ON highlights TO {role}")
                output += [grant(connection, *wanted)]
                connection.run("GRANT DELETE ON highlights TO PUBLIC")
                output += [grant(connection, *wanted)]
        finally:
            admin.run(f"DROP ROLE {owner}")
    unchanged = f"{role}: granted, password unchanged"
    assert output == [
        [f"{role}: missing: this user may not create roles"],
        [f"{unchanged}: this user may not alter the role"],
        [unchanged],
        [f"{unchanged}: this user may not alter the role"],
        [f"{unchanged}: this user may not alter the role",
         f"{role}: has more privileges than these, from PUBLIC or from another role: DELETE;"
         " revoke them"],
    ]  # fmt: skip


def test_without_a_password_no_role_is_created(stack: Stack, role: str) -> None:
    """A deployment with one database user stays as it is."""
    with closing(connected_as(stack, postgres.OWNER)) as owner:
        output = grant(owner, {role: None}, {role: PRIVILEGES[READER]})
        assert not owner.run("SELECT FROM pg_roles WHERE rolname = :role", role=role)
    assert output == [f"{role}: skipped: no password is given"]
