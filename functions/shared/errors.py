"""The errors of the functions: one tree, which knows nothing of HTTP.

    GoalStreamError
    ├── InvalidInput         fields or parameters are not valid: `errors` say why, by name
    ├── UnreadableInput      the input cannot be parsed
    ├── UnsupportedFormat    the input is in none of the formats that are accepted
    ├── TooLarge             the input exceeds a limit
    ├── NotFound             there is no such thing
    ├── CursorExpired        a place in the change feed is of a database that is no more
    ├── RecordsRejected      records can never be processed, and cannot be named one by one
    ├── DataRejected         the database rejects the values of a statement
    ├── NotAcknowledged      the broker did not acknowledge records in time
    └── Unavailable          a service does not answer: the same call may succeed in a moment
        ├── TooBusy          every worker is busy
        └── SchemaMissing    the database lacks what a statement names

`str(error)` is a sentence for the caller, without any secret.
"""

from collections.abc import Mapping


class GoalStreamError(Exception):
    """Any error that a caller of the functions' own code may expect."""


class InvalidInput(GoalStreamError):
    """Fields or parameters are not valid; `errors` holds the reasons by their names."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(f"not valid: {', '.join(errors)}")
        self.errors = errors


class UnreadableInput(GoalStreamError):
    """The input cannot be parsed."""


class UnsupportedFormat(GoalStreamError):
    """The input is in none of the formats that are accepted."""


class TooLarge(GoalStreamError):
    """The input exceeds a limit."""


class NotFound(GoalStreamError):
    """There is no such thing."""


class CursorExpired(GoalStreamError):
    """A place in the change feed is of another epoch: the database was restored, or moved."""

    def __init__(self) -> None:
        super().__init__(
            "The database was restored or moved since this cursor was given: read everything again."
        )


class RecordsRejected(GoalStreamError):
    """Records can never be processed, and the sender gave no names by which to tell them apart."""


class DataRejected(GoalStreamError):
    """The database rejects the values of a statement, and would do so again."""


class NotAcknowledged(GoalStreamError):
    """The broker did not acknowledge the records in time; they may still arrive."""


class Unavailable(GoalStreamError):
    """A service does not answer; the same call may succeed after `retry_after_s` seconds.

    `members` are what a caller needs in order to try again, by name.
    """

    def __init__(self, message: str, *, retry_after_s: int = 1, **members: object) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.members = members


class TooBusy(Unavailable):
    """Every worker has been busy for as long as a caller waits for one."""


class SchemaMissing(Unavailable):
    """The database lacks what a statement names: a migration has still to run.

    `missing` says what, in Postgres' words.
    """

    def __init__(self, missing: str) -> None:
        super().__init__("The database is not ready: its migration has still to run.")
        self.missing = missing
