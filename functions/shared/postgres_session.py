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


class Statements(Protocol):
    """Runs statements with `:named` values."""

    def run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        """The rows of one statement, in a transaction of its own."""


class Prepared:
    """Statements that the server keeps, by name, until the connection ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._statements: dict[str, PreparedStatement] = {}

    def run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        """The rows of a statement, which is prepared when it is first run."""
        if sql not in self._statements:
            self._statements[sql] = self._connection.prepare(sql)
        return self._statements[sql].run(**values) or []


class Unprepared:
    """Statements without a name, each sent whole: the server keeps nothing from one to the next.

    pg8000's own way to run one ends a transaction between its text and its values, and a pooler
    may give the values to another server then. This sends all of it before the one Sync.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, sql: str, values: dict[str, Any]) -> list[Row]:
        """The rows of a statement."""
        connection = self._connection
        statement, values_of = to_statement(sql)
        connection.send_PARSE(NULL_BYTE, statement)
        connection.send_BIND(NULL_BYTE, make_params(connection.py_types, values_of(values)))
        connection._send_message(DESCRIBE, PORTAL + NULL_BYTE)
        connection.send_EXECUTE()
        connection._sock.write(SYNC_MSG)
        connection._sock.flush()
        answer = Context(statement)
        connection.handle_messages(answer)
        return answer.rows or []


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
