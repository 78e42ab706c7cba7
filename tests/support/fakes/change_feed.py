"""The change feed in memory, with transactions that stay open."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.errors import CursorExpired, Unavailable
from functions.shared.postgres.change_feed import Change, ChangePage

MATCH = UUID(int=1)
OTHER_MATCH = UUID(int=2)


@dataclass
class Row:
    """A highlight: the number of the transaction that changed it last, and its state."""

    xid: int
    match_id: UUID = MATCH
    state: int = 0
    side: str | None = None
    json: str = ""


@dataclass
class FakeChangeFeed:
    """Rows become visible when their transaction commits, in whatever order transactions do."""

    epoch: str = "00000001"
    next_xid: int = 100
    away: bool = False
    reads: int = 0
    rows: dict[UUID, Row] = field(default_factory=dict)
    open: dict[int, dict[UUID, Row]] = field(default_factory=dict)

    def begin(self) -> int:
        """Begin a transaction."""
        self.next_xid += 1
        self.open[self.next_xid - 1] = {}
        return self.next_xid - 1

    def write(self, xid: int, number: int, **values: Any) -> None:
        """Change a highlight in a transaction."""
        self.open[xid][UUID(int=number)] = Row(xid, **values)

    def commit(self, xid: int) -> None:
        """Make the changes of a transaction visible."""
        self.rows |= self.open.pop(xid)

    def change(self, number: int, **values: Any) -> ChangeCursor:
        """Change a highlight in a transaction of its own; return the place after it."""
        xid = self.begin()
        self.write(xid, number, **values)
        self.commit(xid)
        return ChangeCursor(xid, UUID(int=number), self.epoch)

    def restore(self) -> None:
        """Begin a new epoch, whose transaction numbers start anew."""
        self.epoch, self.next_xid, self.open = f"{int(self.epoch) + 1:08}", 50, {}
        for row in self.rows.values():
            row.xid = 1

    def documents(self, filters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what is visible now, by id."""
        return {
            str(id_): orjson.loads(_change(id_, row, self.epoch).json)
            for id_, row in self.rows.items()
            if all(getattr(row, name) == value for name, value in (filters or {}).items())
        }

    @property
    def moment(self) -> ChangeCursor:
        """The place below which nothing can appear any more."""
        return ChangeCursor(min(self.open, default=self.next_xid), epoch=self.epoch)

    async def read(
        self, after: ChangeCursor | None, filters: Mapping[str, Any], limit: int
    ) -> ChangePage:
        """Return changes after a place, as the table's feed does."""
        await asyncio.sleep(0)
        self.reads += 1
        if self.away:
            raise Unavailable("The database does not answer.")
        if after is None:
            return ChangePage([], self.moment, has_more=False, held_back=False)
        if after.epoch not in (None, self.epoch) or after.xid > self.next_xid:
            raise CursorExpired
        changes = [_change(id_, row, self.epoch) for id_, row in self.rows.items()]
        changes.sort(key=lambda change: change.cursor)
        held_back = any(change.cursor > self.moment for change in changes)
        found = [
            change
            for change in changes
            if after < change.cursor < self.moment
            and all(getattr(change, name) == value for name, value in filters.items())
        ][:limit]
        await asyncio.sleep(0)
        if len(found) == limit:
            return ChangePage(found, found[-1].cursor, has_more=True, held_back=held_back)
        end = max(self.moment, after)
        return ChangePage(
            found, ChangeCursor(end.xid, end.id, self.epoch), has_more=False, held_back=held_back
        )


def _change(id_: UUID, row: Row, epoch: str) -> Change:
    cursor = ChangeCursor(row.xid, id_, epoch)
    json = row.json or f'{{"id":"{id_}","state":{row.state}}}'
    return Change(cursor, row.match_id, row.side, None, "goal", json)
