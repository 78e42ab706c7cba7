"""A connection to Postgres, and two ways to run statements on it."""

import logging
import time
from typing import Any, Protocol

from pg8000.converters import make_params
from pg8000.core import DESCRIBE, NULL_BYTE, PORTAL, SYNC_MSG, Context
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection, PreparedStatement, to_statement

log = logging.getLogger(__name__)

Row = list[Any]

# Like SET LOCAL, which would warn in a transaction that no BEGIN has opened. It returns no rows, so
# the only ones are those of the statement that follows.
SET_TIMEOUT = "SELECT FROM set_config('statement_timeout', :timeout_ms, true) OFFSET 1"


class Statements(Protocol):
    """Runs statements with `:named` values."""

    def run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        """Return the rows of one statement, which is a transaction of its own.

        The timeout is a setting of the transaction. One of the session would not do behind a
        pooler: it would stay with the server connection, for the next client.
        """


class Prepared:
    """Runs prepared statements, which the server keeps by name until the connection ends."""

    def __init__(self, connection: Connection, timeout_ms: int) -> None:
        self._connection = connection
        self._statements: dict[str, PreparedStatement] = {}
        self._timeout_ms = (str(timeout_ms),)

    def run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        """Return the rows of a statement, which is prepared when it is first run."""
        connection, statement = self._connection, self._prepared(sql)
        self._set_timeout()
        parameters = make_params(connection.py_types, statement.make_vals(values))
        connection.send_BIND(statement.name_bin, parameters)
        connection.send_EXECUTE()
        return _receive_rows(connection, Context(sql, None, statement.cols, statement.input_funcs))

    def _prepared(self, sql: str) -> PreparedStatement:
        if sql not in self._statements:
            if sql != SET_TIMEOUT:
                self._set_timeout()  # to prepare it waits for a locked table
            try:
                self._statements[sql] = self._connection.prepare(sql)
            except DatabaseError:  # pg8000 counts the names of failed statements as used
                names = {statement.name_bin for statement in self._statements.values()}
                self._connection._statement_nums = names
                raise
        return self._statements[sql]

    def _set_timeout(self) -> None:
        """Begin a transaction with our timeout; the next Sync ends it."""
        limit = self._prepared(SET_TIMEOUT)
        self._connection.send_BIND(limit.name_bin, self._timeout_ms)
        self._connection.send_EXECUTE()


class Unprepared:
    """Runs unnamed statements: the server keeps nothing from one to the next.

    pg8000 itself ends a transaction between a statement's text and its values, and a pooler may
    send the values to another server then. This sends both before one Sync.
    """

    def __init__(self, connection: Connection, timeout_ms: int) -> None:
        self._connection = connection
        self._timeout_ms = str(timeout_ms)

    def run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        """Return the rows of a statement."""
        self._send(SET_TIMEOUT, {"timeout_ms": self._timeout_ms})
        self._send(sql, values)
        return _receive_rows(self._connection, Context(sql))

    def _send(self, sql: str, values: dict[str, Any]) -> None:
        connection = self._connection
        statement, values_of = to_statement(sql)
        connection.send_PARSE(NULL_BYTE, statement)
        connection.send_BIND(NULL_BYTE, make_params(connection.py_types, values_of(values)))
        connection._send_message(DESCRIBE, PORTAL + NULL_BYTE)
        connection.send_EXECUTE()


def _receive_rows(connection: Connection, context: Context) -> list[Row]:
    connection._sock.write(SYNC_MSG)
    connection._sock.flush()
    connection.handle_messages(context)
    return context.rows or []


class Session:
    """A connection with the time of its last use.

    The time is the wall clock's, which is right again after a freeze; others may have stopped.
    """

    def __init__(self, connection: Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements
        self._used_at = time.time()

    def idle_s(self) -> float:
        """Return the seconds since its last use."""
        return time.time() - self._used_at

    def run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        """Return the rows of one statement."""
        rows = self._statements.run(sql, values)
        self._used_at = time.time()
        return rows

    def close(self) -> None:
        """Close the connection, unless it is closed already."""
        try:
            self._connection.close()
        except (DatabaseError, InterfaceError, OSError):
            log.debug("the connection was gone already")
