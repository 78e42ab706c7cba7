"""What the table holds, seen past every function."""

from contextlib import closing
from typing import Any

from functions.shared.postgres.connection import connect

TIMEOUT_S = 30


class Table:
    """The table `highlights`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, sql: str, **values: Any) -> list[list[Any]]:
        """The rows of a statement, over a connection of its own: servers come and go in tests."""
        connection = connect(self.url, TIMEOUT_S)
        with closing(connection):
            return connection.run(sql, **values) or []

    def statuses(self) -> dict[str, int]:
        """How many highlights there are in each status."""
        rows = self.run("SELECT status, count(*) FROM highlights GROUP BY status")
        return dict(rows)

    def of_match(self, match_id: str) -> list[str]:
        """The status of each highlight of a match."""
        rows = self.run("SELECT status FROM highlights WHERE match_id = :id::uuid", id=match_id)
        return [status for (status,) in rows]
