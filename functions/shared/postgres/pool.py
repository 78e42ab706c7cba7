"""Postgres from an event loop: a small pool of threads, each with one connection.

pg8000 serves one thread a connection and has no async face.
"""

import asyncio
import logging
import math
import re
import socket
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import Any

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection
from pydantic import SecretStr

from functions.shared.concurrency.fair_limiter import FairLimiter
from functions.shared.errors import DataRejected, SchemaMissing, TooBusy, Unavailable
from functions.shared.postgres import url as postgres_url
from functions.shared.postgres.session import Prepared, Session, Unprepared
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import reload_if_changed

log = logging.getLogger(__name__)

Row = list[Any]

PLACEHOLDER = re.compile(r"(?<![:\w]):([a-z_]+)")  # as in `:name`, and not in `::text`

# SQLSTATE classes that say "not now" rather than "not so": connection, roll back, resources,
# operator intervention, system error; and a server that takes no writes while it fails over.
# Nor is a refused password ours to answer for with a 500: it is being changed, or will be.
TRANSIENT = ("08", "28", "40", "53", "57", "58", "25006")
# A plan made before the schema changed, or on a server that has been restarted.
STALE_STATEMENT = ("0A000", "26000")
REFUSED = "28"  # the class of SQLSTATE of a password or user that does not do
TOO_LONG = "57014"  # a statement that its time-out, or an administrator, has ended
# The database, a schema, table, column, function, type, constraint or right is not there (yet): a
# migration has still to run. A mistake of ours in the text of a statement is none of these.
MISSING = ("3D000", "3F000", "42P01", "42703", "42883", "42704", "42P10", "42501")
TELL_EVERY_S = 10.0
# What a statement may take of the time that we wait for it: so Postgres ends it before we leave.
STATEMENT_SHARE = 0.9


def sqlstate(error: Exception) -> str:
    """The five characters by which Postgres names an error."""
    details = error.args[0] if error.args else None
    return str(details.get("C", "")) if isinstance(details, dict) else ""


def connect(url: str, timeout_s: float, password: SecretStr | None = None) -> Connection:
    """A connection by `postgresql://user:password@host:port/database`.

    `password` serves a URL that has none; `timeout_s` bounds every wait on the socket, not only
    the connect.
    """
    its = postgres_url.parse(url)
    given = password.get_secret_value() if password else None
    connection = Connection(
        user=its.user,
        password=its.password or given,
        host=its.host,
        port=its.port,
        database=its.database,
        timeout=timeout_s,
        application_name="goalstream",
        ssl_context=its.tls,
    )
    # pg8000 sends what exceeds 8 KB in pieces: the last would wait 40 ms for an acknowledgement.
    connection._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def connect_by(settings: PostgresSettings) -> Connection:
    """A connection as the settings say."""
    return connect(settings.database_url, settings.database_timeout_s, settings.database_password)


def _is_stale(error: Exception) -> bool:
    """Whether a session broke as after a restart or a freeze, so that a new one may do."""
    if isinstance(error, DatabaseError):
        return sqlstate(error).startswith(("08", "57P", *STALE_STATEMENT))
    return not isinstance(error.__cause__ or error, TimeoutError)


class Postgres:
    """Runs single statements, each its own transaction.

    A statement may run twice when a connection breaks under it, so every statement of ours is
    written to do no harm then.
    """

    def __init__(self, settings: PostgresSettings) -> None:
        self._settings = settings
        size = settings.database_pool_size
        self._threads = ThreadPoolExecutor(size, "postgres")
        self._turns = FairLimiter(size, wait_s=settings.database_queue_timeout_s)
        self._local = local()
        self._sessions: set[Session] = set()
        self._answered_at = -math.inf
        self._told_at = -math.inf

    async def run(self, sql: str, **values: Any) -> list[Row]:
        """The rows of one statement with `:named` values.

        Raises:
            Unavailable: Postgres is away, starting, full or too slow, lacks what the statement
                names (SchemaMissing), or others keep all connections busy (TooBusy).
            DataRejected: it does not take these values (SQLSTATE classes 22 and 23).
        """
        return await self._run_in_turn(sql, values, heavy=False)

    async def run_heavy(self, sql: str, **values: Any) -> list[Row]:
        """As `run`, for a statement that may take long: half of the connections at most do."""
        return await self._run_in_turn(sql, values, heavy=True)

    async def explain(self, statements: Iterable[str]) -> None:
        """Have each statement planned, not run: all that it names is there, and open to us.

        Raises:
            Unavailable: as `run`; but not when all connections are busy and get their answers.
        """
        try:
            for sql in statements:
                await self.run(f"EXPLAIN {sql}", **dict.fromkeys(PLACEHOLDER.findall(sql)))
        except TooBusy:
            if time.monotonic() - self._answered_at > self._settings.database_timeout_s:
                raise
        except SchemaMissing as error:
            raise Unavailable(f"The database lacks what we need: {error.missing}.") from error

    async def _run_in_turn(self, sql: str, values: dict[str, Any], *, heavy: bool) -> list[Row]:
        await self._turns.take(heavy=heavy)
        try:
            job = self._threads.submit(self._run, sql, values)
        except RuntimeError:  # the pool has been closed
            self._turns.give_back(heavy=heavy)
            raise
        job.add_done_callback(lambda _: self._turns.give_back(heavy=heavy))
        rows = await asyncio.wrap_future(job)
        self._answered_at = time.monotonic()
        return rows

    def close(self) -> None:
        """Close every connection, and take no more statements."""
        self._threads.shutdown()
        for session in self._sessions:
            session.close()

    def _run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        session: Session | None = getattr(self._local, "session", None)
        if session is not None and session.idle_s() > self._settings.database_max_idle_s:
            self._forget_session()
        elif session is not None:
            try:
                return session.run(sql, values)
            except (DatabaseError, InterfaceError, OSError) as error:
                if not _is_stale(error):
                    raise self._translated(error) from error
                self._forget_session()
        return self._run_anew(sql, values)

    def _run_anew(self, sql: str, values: dict[str, Any]) -> list[Row]:
        try:
            session = self._local.session = self._session()
            self._sessions.add(session)
            return session.run(sql, values)
        except (DatabaseError, InterfaceError, OSError) as error:
            raise self._translated(error) from error

    def _session(self) -> Session:
        connection = self._connection()
        timeout_ms = max(1, int(self._settings.database_timeout_s * STATEMENT_SHARE * 1000))
        statements = Prepared if self._settings.database_prepare else Unprepared
        try:
            return Session(connection, statements(connection, timeout_ms))
        except BaseException:
            connection.close()
            raise

    def _connection(self) -> Connection:
        tried = self._settings
        try:
            return connect_by(tried)
        except DatabaseError as error:
            if not sqlstate(error).startswith(REFUSED):
                raise
            fresh = reload_if_changed(tried, "database_url", "database_password")
            if fresh is None:
                log.error("the database refuses our user or password")  # noqa: TRY400
                raise
        self._settings = fresh
        return connect_by(fresh)

    def _translated(self, error: Exception) -> Exception:
        state = sqlstate(error)
        if state.startswith(("22", "23")):
            return DataRejected(error.args[0].get("M", "refused"))
        if state == TOO_LONG:
            return Unavailable("The database takes too long over this.")
        if state in MISSING:
            return self._missing(error.args[0].get("M", state))
        if state and not state.startswith(TRANSIENT):
            return error
        self._forget_session()
        return Unavailable("The database does not answer.")

    def _missing(self, what: str) -> SchemaMissing:
        if time.monotonic() - self._told_at > TELL_EVERY_S:
            self._told_at = time.monotonic()
            log.error("the database lacks what we need", extra={"fields": {"missing": what}})
        return SchemaMissing(what)

    def _forget_session(self) -> None:
        session: Session | None = getattr(self._local, "session", None)
        self._local.session = None
        if session is not None:
            self._sessions.discard(session)
            session.close()
