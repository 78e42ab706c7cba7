"""The table `highlights`, read directly from Postgres."""

from contextlib import closing
from typing import Any

from functions.shared.postgres.connection import connect

TIMEOUT_S = 30


class Table:
    """The table `highlights`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, sql: str, **values: Any) -> list[list[Any]]:
        """Return the rows of a statement, over a new connection: tests restart the server."""
        connection = connect(self.url, TIMEOUT_S)
        with closing(connection):
            return connection.run(sql, **values) or []

    def statuses(self) -> dict[str, int]:
        """Return the number of highlights in each status."""
        rows = self.run("SELECT status, count(*) FROM highlights GROUP BY status")
        return dict(rows)

    def of_match(self, match_id: str) -> list[str]:
        """Return the status of each highlight of a match."""
        rows = self.run("SELECT status FROM highlights WHERE match_id = :id::uuid", id=match_id)
        return [status for (status,) in rows]
