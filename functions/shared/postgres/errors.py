"""The errors of pg8000, sorted by their SQLSTATE.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from typing import Any

from pg8000.exceptions import DatabaseError

from functions.shared.errors import DataRejected, SchemaMissing, Unavailable

# Classes that mean "not now": connection, authorization, rollback, resources, operator
# intervention, system error; and a server that takes no writes while it fails over. A rejected
# password is among them: it is being changed, or will be, and is no fault of the statement.
TRANSIENT = ("08", "28", "40", "53", "57", "58", "25006")
# A plan from before the schema changed, or from before the server was restarted.
STALE_STATEMENT = ("0A000", "26000")
INVALID_AUTHORIZATION = "28"  # the class of a wrong user or password
INVALID_DATA = ("22", "23")  # the classes of values, and of constraints
QUERY_CANCELED = "57014"  # by its timeout, or by an administrator
# The database, a schema, table, column, function, type, constraint or privilege is missing: a
# migration has still to run. An error in the text of a statement is none of these.
MISSING = ("3D000", "3F000", "42P01", "42703", "42883", "42704", "42P10", "42501")


def sqlstate(error: Exception) -> str:
    """Return the five characters of Postgres' error code; empty for other errors."""
    return str(_details(error).get("C", ""))


def is_stale(error: Exception) -> bool:
    """Return whether a session broke as after a restart or a freeze: a new one may succeed."""
    if isinstance(error, DatabaseError):
        return sqlstate(error).startswith(("08", "57P", *STALE_STATEMENT))
    return not isinstance(error.__cause__ or error, TimeoutError)


def translate(error: Exception) -> Exception:
    """Return the error of ours that one of pg8000 means, or the error itself if it is a mistake."""
    state = sqlstate(error)
    message = str(_details(error).get("M", state))
    if state.startswith(INVALID_DATA):
        return DataRejected(message)
    if state == QUERY_CANCELED:
        return Unavailable("The database takes too long over this.")
    if state in MISSING:
        return SchemaMissing(message)
    if state and not state.startswith(TRANSIENT):
        return error
    return Unavailable("The database does not answer.")


def _details(error: Exception) -> dict[str, Any]:
    details = error.args[0] if error.args else None
    return details if isinstance(details, dict) else {}
