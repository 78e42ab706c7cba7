"""Readers of changes while a transaction commits late, by various orders of changes."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager

import orjson

from functions.shared.postgres.connection import connect
from tests.integration.test_change_feed import Feed
from tests.support.drivers.table import TIMEOUT_S, Table

INSERT = """
    INSERT INTO highlights (
        id, match_id, event_id, revision, retracted, occurred_at, event_type, status)
    VALUES (gen_random_uuid(), gen_random_uuid(), :id, 0, false, now(), 'goal', 'READY')
"""
CHANGE = "UPDATE highlights SET title = {}, updated_at = clock_timestamp() WHERE event_id = {}"
READ_BY_COLUMN = """
    SELECT event_id, {column}::text FROM highlights WHERE {column} > cast(:place AS {type})
    ORDER BY {column}
"""
NUMBERED = """
    ALTER TABLE highlights ADD COLUMN number bigserial;
    CREATE FUNCTION set_number() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.number := nextval('highlights_number_seq'); RETURN NEW; END $$;
    CREATE TRIGGER set_number BEFORE UPDATE ON highlights FOR EACH ROW
        EXECUTE FUNCTION set_number();
"""


@contextmanager
def held_open(table: Table, statement: str) -> Iterator[None]:
    """Run a statement in a transaction that is committed at the end of the context."""
    with closing(connect(table.url, TIMEOUT_S)) as connection:
        connection.run("BEGIN")
        connection.run(statement)
        yield
        connection.run("COMMIT")


class ColumnReader:
    """Reads on by a column that grows with each change, as one would without transactions."""

    def __init__(self, table: Table, column: str, type_: str) -> None:
        self.told: list[str] = []
        self._table = table
        self._statement = READ_BY_COLUMN.format(column=column, type=type_)
        self._place = "-infinity" if type_ == "timestamptz" else "0"
        self.read()
        self.told.clear()

    def read(self) -> None:
        """Read what lies after the place that was read last."""
        for event_id, place in self._table.run(self._statement, place=self._place):
            self.told.append(event_id)
            self._place = place


class FeedReader:
    """Reads on by the change feed."""

    def __init__(self, table: Table) -> None:
        self.told: list[str] = []
        self._feed = Feed(table)
        self._place = asyncio.run(self._feed.changes.now())

    def read(self) -> None:
        """Read what lies after the place that was read last."""
        changes, self._place = asyncio.run(self._feed.since(self._place))
        self.told += [orjson.loads(change.json)["eventId"] for change in changes]

    def close(self) -> None:
        """Close its connections."""
        self._feed.postgres.close()


def test_a_reader_by_clock_or_sequence_misses_what_commits_late(own_table: Table) -> None:
    """On the same table, where the change feed misses nothing: that is what it is for."""
    own_table.run(NUMBERED)
    for name in ("late", "quick"):
        own_table.run(INSERT, id=name)
    with closing(FeedReader(own_table)) as feed:
        clock = ColumnReader(own_table, "updated_at", "timestamptz")
        sequence = ColumnReader(own_table, "number", "bigint")
        readers = (feed, clock, sequence)
        with held_open(own_table, CHANGE.format("'Late'", "'late'")):
            own_table.run(CHANGE.format("'Quick'", "'quick'"))
            for reader in readers:
                reader.read()
        for reader in readers:
            reader.read()
    assert feed.told == ["late", "quick"]
    assert clock.told == sequence.told == ["quick"]
