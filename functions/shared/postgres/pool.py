"""A small pool of threads, each with one connection, to run statements from an event loop.

pg8000 needs a thread for each connection: it has no asynchronous interface.
"""

import asyncio
import logging
import math
import re
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import Any

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from functions.shared.concurrency.fair_limiter import FairLimiter
from functions.shared.errors import SchemaMissing, TooBusy, Unavailable
from functions.shared.postgres.connection import connect_with
from functions.shared.postgres.errors import (
    INVALID_AUTHORIZATION,
    QUERY_CANCELED,
    is_stale,
    sqlstate,
    translate,
)
from functions.shared.postgres.session import Prepared, Row, Session, Unprepared
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import reload_if_changed

log = logging.getLogger(__name__)

PLACEHOLDER = re.compile(r"(?<![:\w]):([a-z_]+)")  # as in `:name`, and not in `::text`
LOG_EVERY_S = 10.0
# The part of our timeout that a statement may take: so Postgres ends it before we give up.
STATEMENT_TIMEOUT_RATIO = 0.9


class Postgres:
    """Runs single statements, each in a transaction of its own.

    A statement may run twice when a connection breaks under it: every statement must be safe to
    repeat.
    """

    def __init__(self, settings: PostgresSettings) -> None:
        self._settings = settings
        size = settings.database_pool_size
        self._threads = ThreadPoolExecutor(size, "postgres")
        self._turns = FairLimiter(size, wait_s=settings.database_queue_timeout_s)
        self._local = local()
        self._sessions: set[Session] = set()
        self._answered_at = -math.inf
        self._logged_at = -math.inf

    async def run(self, sql: str, **values: Any) -> list[Row]:
        """Return the rows of one statement with `:named` values.

        Raises:
            Unavailable: Postgres is unreachable, starting, full or too slow, lacks what the
                statement names (SchemaMissing), or all connections stay busy (TooBusy).
            DataRejected: it rejects the values (SQLSTATE classes 22 and 23).
        """
        return await self._run_in_turn(sql, values, heavy=False)

    async def run_heavy(self, sql: str, **values: Any) -> list[Row]:
        """Do as `run`, for a statement that may take long: half of the connections at most do."""
        return await self._run_in_turn(sql, values, heavy=True)

    async def explain(self, statements: Iterable[str]) -> None:
        """Have each statement planned, not run: all that it names is there, and open to us.

        Raises:
            Unavailable: as `run`; but not while all connections are busy and statements succeed.
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
        await self._turns.acquire(heavy=heavy)
        try:
            job = self._threads.submit(self._run, sql, values)
        except RuntimeError:  # the pool has been closed
            self._turns.release(heavy=heavy)
            raise
        job.add_done_callback(lambda _: self._turns.release(heavy=heavy))
        rows = await asyncio.wrap_future(job)
        self._answered_at = time.monotonic()
        return rows

    def close(self) -> None:
        """Close every connection, and accept no more statements."""
        self._threads.shutdown()
        for session in self._sessions:
            session.close()

    def _run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        session: Session | None = getattr(self._local, "session", None)
        if session is not None and session.idle_s() > self._settings.database_max_idle_s:
            self._discard_session()
        elif session is not None:
            try:
                return session.run(sql, values)
            except (DatabaseError, InterfaceError, OSError) as error:
                if not is_stale(error):
                    raise self._translate(error) from error
                self._discard_session()
        return self._run_in_new_session(sql, values)

    def _run_in_new_session(self, sql: str, values: dict[str, Any]) -> list[Row]:
        try:
            session = self._local.session = self._open_session()
            self._sessions.add(session)
            return session.run(sql, values)
        except (DatabaseError, InterfaceError, OSError) as error:
            raise self._translate(error) from error

    def _open_session(self) -> Session:
        connection = self._connect()
        timeout_s = self._settings.database_timeout_s * STATEMENT_TIMEOUT_RATIO
        timeout_ms = max(1, int(timeout_s * 1000))
        statements = Prepared if self._settings.database_prepare else Unprepared
        try:
            return Session(connection, statements(connection, timeout_ms))
        except BaseException:
            connection.close()
            raise

    def _connect(self) -> Connection:
        """Open a connection; with a new password if the known one is rejected."""
        settings = self._settings
        try:
            return connect_with(settings)
        except DatabaseError as error:
            if not sqlstate(error).startswith(INVALID_AUTHORIZATION):
                raise
            fresh = reload_if_changed(settings, "database_url", "database_password")
            if fresh is None:
                log.error("the database refuses our user or password")  # noqa: TRY400
                raise
        self._settings = fresh
        return connect_with(fresh)

    def _translate(self, error: Exception) -> Exception:
        translated = translate(error)
        if isinstance(translated, SchemaMissing):
            self._log_missing(translated.missing)
        elif isinstance(translated, Unavailable) and sqlstate(error) != QUERY_CANCELED:
            self._discard_session()
        return translated

    def _log_missing(self, missing: str) -> None:
        if time.monotonic() - self._logged_at > LOG_EVERY_S:
            self._logged_at = time.monotonic()
            log.error("the database lacks what we need", extra={"fields": {"missing": missing}})

    def _discard_session(self) -> None:
        session: Session | None = getattr(self._local, "session", None)
        self._local.session = None
        if session is not None:
            self._sessions.discard(session)
            session.close()
