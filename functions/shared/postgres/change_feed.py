"""The change feed: highlights in the order in which they last changed, each as it is now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.errors import CursorExpired, Unavailable
from functions.shared.postgres.change_sql import FOLLOWS, NOW, changes_statement, scans
from functions.shared.postgres.pool import Postgres

RESTORED = "The database was restored: python -m infra.migrate has still to run."


@dataclass(frozen=True, slots=True)
class Change:
    """A changed highlight in JSON, the place after it, and what filters compare."""

    cursor: ChangeCursor
    match_id: UUID
    side: str | None
    team_key: str | None
    event_type: str
    json: str


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes in their order, and the place to read on from.

    `has_more` says that more may be there already. `held_back` says that a change waits, with all
    later ones, for a transaction that began before it and is still open.
    """

    changes: list[Change]
    cursor: ChangeCursor
    has_more: bool
    held_back: bool


class ChangeFeed:
    """The change feed, in Postgres."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def ready(self) -> None:
        """Return if Postgres answers, and has all that the feed needs, open to us.

        Raises:
            Unavailable: it does not, or lacks something.
        """
        await self._postgres.explain(FOLLOWS)

    async def now(self) -> ChangeCursor:
        """Return the present place: before everything that changes from now on."""
        ((cursor,),) = await self._postgres.run(NOW)
        return ChangeCursor.parse(cursor)

    async def read(
        self,
        after: ChangeCursor | None,
        filters: Mapping[str, Any],
        limit: int,
        language: str | None = None,
    ) -> ChangePage:
        """Return up to `limit` changes after a place, by the values of FEED_FILTERS.

        Without a place there are none, and `cursor` is the present one. A highlight that has
        changed twice is given once. Title and summary are those of `texts` in a language, if there
        are any.

        Raises:
            CursorExpired: the place is of another epoch, or of a time that has not been.
            Unavailable: Postgres is, or was restored and not migrated.
        """
        if after is None:
            return ChangePage([], await self.now(), has_more=False, held_back=False)
        run = self._postgres.run_heavy if scans(filters) else self._postgres.run
        values = {**filters, "xid": str(after.xid), "id": after.id, "limit": limit}
        rows = await run(changes_statement(filters), **values, lang=language)
        epoch, xmin, xmax, newest, scanned_xid, scanned_id, *_ = rows[0]
        held_back = newest is not None and int(newest) >= int(xmin)
        if after.epoch not in (None, epoch) or (xmax and after.xid > int(xmax)):
            raise CursorExpired
        if held_back and xmax and int(newest) >= int(xmax):
            raise Unavailable(RESTORED)
        changes = [
            Change(ChangeCursor(int(xid), id_, epoch), *rest)
            for xid, id_, *rest in (row[6:] for row in rows)
            if xid is not None
        ]
        changes.sort(key=lambda change: change.cursor)
        if len(changes) == limit:
            return ChangePage(changes, changes[-1].cursor, has_more=True, held_back=held_back)
        if scanned_xid:
            end = ChangeCursor(int(scanned_xid), scanned_id, epoch)
            return ChangePage(changes, end, has_more=True, held_back=held_back)
        # Not beyond what is on disk: after a crash, numbers of transactions that left nothing there
        # are given out again.
        xid = 0 if newest is None else min(int(newest) + 1, int(xmin))
        # A replica may lag behind the place, which is no reason to go back.
        end = max(ChangeCursor(xid, epoch=epoch), ChangeCursor(after.xid, after.id, epoch))
        return ChangePage(changes, end, has_more=False, held_back=held_back)
