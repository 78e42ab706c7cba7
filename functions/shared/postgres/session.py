"""One connection to Postgres, and how statements are run on it."""

import logging
import time
from typing import Any, Protocol

from pg8000.converters import make_params
from pg8000.core import DESCRIBE, NULL_BYTE, PORTAL, SYNC_MSG, Context
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection, PreparedStatement, to_statement

log = logging.getLogger(__name__)

Row = list[Any]

# As SET LOCAL, which would warn in a transaction that no BEGIN has opened. It has no rows, so none
# come before those of the statement that follows.
LIMIT_TRANSACTION = "SELECT FROM set_config('statement_timeout', :timeout_ms, true) OFFSET 1"


class Statements(Protocol):
    """Runs statements with `:named` values."""

    def run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        """The rows of one statement, in a transaction of its own.

        The transaction has the statement's time-out as a setting of its own. One of the session
        would not do behind a pooler: it would stay with a server, for whoever comes next.
        """


class Prepared:
    """Statements that the server keeps, by name, until the connection ends."""

    def __init__(self, connection: Connection, timeout_ms: int) -> None:
        self._connection = connection
        self._statements: dict[str, PreparedStatement] = {}
        self._timeout_ms = (str(timeout_ms),)

    def run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        """The rows of a statement, which is prepared when it is first run."""
        connection, statement = self._connection, self._prepared(sql)
        self._limit()
        parameters = make_params(connection.py_types, statement.make_vals(values))
        connection.send_BIND(statement.name_bin, parameters)
        connection.send_EXECUTE()
        return _answer(connection, Context(sql, None, statement.cols, statement.input_funcs))

    def _prepared(self, sql: str) -> PreparedStatement:
        if sql not in self._statements:
            if sql != LIMIT_TRANSACTION:
                self._limit()  # it waits for a table that is locked
            try:
                self._statements[sql] = self._connection.prepare(sql)
            except DatabaseError:  # pg8000 would look for a free name behind all that failed
                names = {statement.name_bin for statement in self._statements.values()}
                self._connection._statement_nums = names
                raise
        return self._statements[sql]

    def _limit(self) -> None:
        """Begin a transaction that has our time-out: the next Sync ends it."""
        limit = self._prepared(LIMIT_TRANSACTION)
        self._connection.send_BIND(limit.name_bin, self._timeout_ms)
        self._connection.send_EXECUTE()


class Unprepared:
    """Statements without a name, each sent whole: the server keeps nothing from one to the next.

    pg8000's own way to run one ends a transaction between its text and its values, and a pooler
    may give the values to another server then. This sends all of it before the one Sync.
    """

    def __init__(self, connection: Connection, timeout_ms: int) -> None:
        self._connection = connection
        self._timeout_ms = str(timeout_ms)

    def run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        """The rows of a statement."""
        self._send(LIMIT_TRANSACTION, {"timeout_ms": self._timeout_ms})
        self._send(sql, values)
        return _answer(self._connection, Context(sql))

    def _send(self, sql: str, values: dict[str, Any]) -> None:
        connection = self._connection
        statement, values_of = to_statement(sql)
        connection.send_PARSE(NULL_BYTE, statement)
        connection.send_BIND(NULL_BYTE, make_params(connection.py_types, values_of(values)))
        connection._send_message(DESCRIBE, PORTAL + NULL_BYTE)
        connection.send_EXECUTE()


def _answer(connection: Connection, context: Context) -> list[Row]:
    connection._sock.write(SYNC_MSG)
    connection._sock.flush()
    connection.handle_messages(context)
    return context.rows or []


class Session:
    """A connection with the time of its last use.

    The time is the wall clock's: after a freeze it is put right, while others may have stood still.
    """

    def __init__(self, connection: Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements
        self._used_at = time.time()

    def idle_s(self) -> float:
        """The seconds since its last use."""
        return time.time() - self._used_at

    def run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        """The rows of one statement."""
        rows = self._statements.run(sql, values)
        self._used_at = time.time()
        return rows

    def close(self) -> None:
        """Close the connection, if it is not gone already."""
        try:
            self._connection.close()
        except (DatabaseError, InterfaceError, OSError):
            log.debug("the connection was gone already")
