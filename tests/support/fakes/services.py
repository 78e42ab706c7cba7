"""In-memory fakes of the services behind the functions."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from pydantic.alias_generators import to_camel

from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.contract.highlight import Enrichment, Facts, HighlightText, Status
from functions.shared.errors import CursorExpired, DataRejected, NotAcknowledged, Unavailable
from functions.shared.kafka.acknowledgements import Acknowledged
from functions.shared.kafka.publisher import Record
from functions.shared.postgres import highlight_sql
from functions.shared.postgres.change_feed import Change, ChangePage
from functions.shared.postgres.highlight_sql import LONGEST_BACKOFF_S
from functions.shared.postgres.highlights import (
    ChangedHighlight,
    Claim,
    Correction,
    Document,
    GivenBack,
    Listing,
    Pending,
    Revision,
)

Row = dict[str, Any]
Rows = list[Row]

FACTS = tuple(map(to_camel, highlight_sql.FACTS))
TEXT = tuple(map(to_camel, highlight_sql.TEXT))
SAID = tuple(map(to_camel, highlight_sql.FIELDS))
QUEUE = ("provisional", "attempts", "lease", "leasedUntil", "availableAt")
SHOWN = (
    "id", *(name for name in SAID if name != "retracted"),
    *map(to_camel, highlight_sql.GENERATED),
)  # fmt: skip


class FakePublisher:
    """A publisher that acknowledges, refuses, or delays its acknowledgement."""

    def __init__(self, *, refuses: bool = False, release: asyncio.Event | None = None) -> None:
        self.refuses = refuses
        self.release = release
        self.published: list[Record] = []
        self.announced: list[Record] = []
        self.asked = asyncio.Event()

    def publish(
        self, records: Sequence[Record], acknowledged: Acknowledged | None = None
    ) -> Acknowledged:
        """Return a future that ends when the broker acknowledges or refuses the records."""
        acknowledged = acknowledged or asyncio.get_running_loop().create_future()
        self.asked.set()
        if self.refuses:
            acknowledged.set_exception(NotAcknowledged("refused"))
        elif self.release is None:
            self._acknowledge(records, acknowledged)
        else:
            waiting = asyncio.ensure_future(self.release.wait())
            waiting.add_done_callback(lambda _: self._acknowledge(records, acknowledged))
        return acknowledged

    def _acknowledge(self, records: Sequence[Record], acknowledged: Acknowledged) -> None:
        self.published += records
        acknowledged.set_result(None)

    def announce(self, records: Sequence[Record]) -> None:
        """Publish without waiting."""
        self.announced += records


class FakeCache:
    """Pages of matches; a page is stored only if no change came since its lease, as in Redis."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away
        self.pages: dict[tuple[UUID, str], bytes] = {}
        self.changed: list[set[UUID]] = []
        self._leases: dict[UUID, bytes] = {}
        self._changing: list[UUID] = []

    async def read(self, match_id: UUID, page: str) -> bytes | None:
        """Return a stored page."""
        return None if self.away else self.pages.get((match_id, page))

    async def lease(self, match_id: UUID, page: str) -> tuple[bytes | None, bytes | None]:
        """Return a stored page, or the lease that `fill` needs."""
        if self.away or match_id in self._changing:
            return None, None
        lease = self._leases.setdefault(match_id, uuid4().bytes)
        return self.pages.get((match_id, page)), lease

    async def fill(self, match_id: UUID, page: str, content: bytes, lease: bytes) -> None:
        """Store a page, if nothing changed since its lease."""
        if self._leases.get(match_id) == lease:
            self.pages[match_id, page] = content

    @asynccontextmanager
    async def change(self, match_ids: Collection[UUID]) -> AsyncIterator[None]:
        """Invalidate these matches before and after the block that changes them."""
        self.changed.append(set(match_ids))
        self._changing += match_ids
        self._drop(match_ids)
        try:
            yield
        finally:
            for match_id in match_ids:
                self._changing.remove(match_id)
            self._drop(match_ids)

    def _drop(self, match_ids: Collection[UUID]) -> None:
        for match_id in match_ids:
            self._leases.pop(match_id, None)
        self.pages = {key: page for key, page in self.pages.items() if key[0] not in match_ids}


class FakeStore:
    """The table `highlights` in memory, with the behaviour of each statement.

    `now` is in seconds, and moves only when a test moves it.
    """

    def __init__(self) -> None:
        self.rows: dict[UUID, Row] = {}
        self.now = 0.0
        self.away = False
        self.refuses: Callable[[Row], bool] = lambda _: False
        self.statements = 0
        self.epoch = "00000001"
        self.xid = 0  # of the last change

    async def record(self, revisions: Iterable[Revision]) -> list[ChangedHighlight]:
        """Record revisions: the highest wins; of two equal ones the retraction wins."""
        given = self._stated([revision.to_row() for revision in revisions])
        if len({row["id"] for row in given}) < len(given):
            raise AssertionError("Postgres cannot affect a row a second time in one statement")
        return [self._change(row) for row in given if self._recorded(row)]

    def _recorded(self, row: Row) -> bool:
        known = self.rows.get(row["id"])
        if known is None:
            self.rows[row["id"]] = self._new(row)
            return True
        if (row["revision"], row["retracted"]) <= (known["revision"], known["retracted"]):
            return False
        if row["status"] == Status.IGNORED != known["status"]:
            row["status"] = Status.RETRACTED
        unchanged = (
            row["status"] == Status.PENDING_AI
            and known["status"] in (Status.PENDING_AI, Status.READY)
            and all(known[fact] == row[fact] for fact in FACTS)
        )
        kept = ("status", *TEXT, *QUEUE) if unchanged else ()
        former = {"texts": known["texts"], "enrichedBy": known["enrichedBy"]}
        if unchanged or not known["texts"]:
            former = known["former"]
        known |= self._new(row) | {name: known[name] for name in (*kept, "createdAt")}
        known["former"] = former if row["status"] == Status.PENDING_AI else None
        return True

    async def conflicts(self, revisions: Iterable[Revision]) -> list[UUID]:
        """Return the ids of highlights recorded with the same revision but other content."""
        return [
            row["id"]
            for row in self._stated([revision.to_row() for revision in revisions])
            if (known := self.rows.get(row["id"]))
            and (known["revision"], known["retracted"]) == (row["revision"], row["retracted"])
            and any(known[name] != row[name] for name in SAID)
        ]

    def _new(self, row: Row) -> Row:
        stamp = {"createdAt": self._rfc3339(), "updatedAt": self._rfc3339()}
        queue = dict(zip(QUEUE, (False, 0, None, 0.0, self.now), strict=True))
        self.xid += 1
        hidden = {"former": None, "change": self.xid}
        return {**row, **dict.fromkeys(TEXT), **stamp, **queue, **hidden}

    async def claim(
        self,
        *,
        limit: int,
        lease_s: float,
        ahead_s: float = LONGEST_BACKOFF_S,
        provisional: bool = False,
        crashed: bool = False,
    ) -> list[Claim]:
        """Lease highlights of the queue, oldest first."""
        self._stated([])
        due = [row for row in self._queued(provisional) if self._is_free(row, ahead_s, crashed)]
        claimed = sorted(due, key=lambda row: (row["availableAt"], row["id"]))[:limit]
        for row in claimed:
            row |= {"lease": uuid4(), "attempts": row["attempts"] + 1}
            row["leasedUntil"] = self.now + lease_s
        return [
            Claim(
                row["id"],
                row["lease"],
                UUID(row["matchId"]),
                row["traceparent"],
                row["attempts"],
                row["provisional"],
                Facts(*(row[fact] for fact in FACTS)),
            )
            for row in claimed
        ]

    async def prolong(self, claim: Claim, *, lease_s: float) -> bool:
        """Prolong a lease that is still valid."""
        (given,) = self._stated([{"id": claim.id, "lease": claim.lease}])
        row = self._leased(given)
        if row:
            row["leasedUntil"] = self.now + lease_s
        return row is not None

    async def finish(self, texts: Iterable[tuple[Claim, Enrichment]]) -> list[ChangedHighlight]:
        """Make READY those whose lease is still valid."""
        given = self._stated(
            [
                {"id": claim.id, "lease": claim.lease, **asdict(each.text), **asdict(each)}
                for claim, each in texts
            ]
        )
        return [self._finished(row, text) for text in given if (row := self._leased(text))]

    def _finished(self, row: Row, text: Row) -> ChangedHighlight:
        if text["provisional"]:
            row["attempts"] = 0
        text["refused"] = text["refused"] or None
        values = {name: text[name] for name in (*TEXT, "provisional")}
        return self._set(row, status=Status.READY, lease=None, **values)

    async def give_back(
        self, given_back: Iterable[GivenBack], *, max_attempts: int
    ) -> list[ChangedHighlight]:
        """Reschedule those whose lease is still valid, or fail them at the last attempt."""
        given = self._stated(
            [
                {
                    "id": each.claim.id,
                    "lease": each.claim.lease,
                    "wait_s": each.wait_s,
                    "failed": each.failed,
                }
                for each in given_back
            ]
        )
        return [
            self._put_off(row, each["waitS"], max_attempts if each["failed"] else None)
            for each in given
            if (row := self._leased(each))
        ]

    def _put_off(self, row: Row, wait_s: float, max_attempts: int | None) -> ChangedHighlight:
        row |= {"lease": None, "availableAt": self.now + wait_s}
        if max_attempts is None:
            row["attempts"] -= 1
        elif row["attempts"] >= max_attempts:
            row["provisional"] = False
            if row["status"] == Status.PENDING_AI:
                return self._set(row, status=Status.FAILED_AI)
        return _change(row)

    async def corrected(self, *, limit: int) -> list[Correction]:
        """Return corrected highlights whose former texts are still to be checked."""
        self._stated([])
        found = [row for row in self.rows.values() if row["former"]]
        return [
            Correction(
                row["id"],
                row["revision"],
                UUID(row["matchId"]),
                Enrichment(
                    {tag: HighlightText(**text) for tag, text in row["former"]["texts"].items()},
                    row["former"]["enrichedBy"],
                ),
                Facts(*(row[fact] for fact in FACTS)),
            )
            for row in found[:limit]
        ]

    async def settle(
        self, corrections: Iterable[tuple[Correction, Enrichment | None]]
    ) -> list[ChangedHighlight]:
        """Show these texts, or none, of those that nothing has changed meanwhile."""
        given = self._stated(
            [
                {"id": each.id, "revision": each.revision}
                | ({**asdict(shown.text), **asdict(shown)} if shown else {})
                for each, shown in corrections
            ]
        )
        return [
            self._settled(row, each)
            for each in given
            if (row := self.rows[each["id"]])["former"] and row["revision"] == each["revision"]
        ]

    def _settled(self, row: Row, shown: Row) -> ChangedHighlight:
        row["former"] = None
        if "title" not in shown:
            return _change(row)
        names = ("title", "summary", "texts", "enrichedBy")
        return self._set(row, **{name: shown[name] for name in names})

    async def count_pending(self, *, ahead_s: float = LONGEST_BACKOFF_S) -> Pending:
        """Return the number of highlights that are still pending."""
        self._stated([])
        pending = [row for row in self.rows.values() if row["status"] == Status.PENDING_AI]
        crashed = sum(bool(row["lease"]) and self._is_free(row, ahead_s, True) for row in pending)
        return Pending(len(pending), crashed)

    async def get(self, highlight_id: UUID, language: str | None = None) -> Document | None:
        """Return one highlight, in any status."""
        self._stated([])
        row = self.rows.get(highlight_id)
        return _document(row, language) if row and row["status"] != Status.IGNORED else None

    async def list(
        self,
        filters: Mapping[str, Any],
        *,
        limit: int,
        offset: int = 0,
        language: str | None = None,
    ) -> Listing:
        """Return highlights, newest first by (occurredAt, id)."""
        self._stated([])
        rows = sorted(self.rows.values(), key=_position, reverse=True)
        found = [row for row in rows if _passes(row, filters)]
        shown = [_document(row, language) for row in found[offset : offset + limit]]
        return Listing(shown, str(self.now_in_feed))

    async def matches(self, filters: Mapping[str, Any], *, limit: int) -> Listing:
        """Return matches, that with the latest highlight first."""
        self._stated([])
        of_match: dict[str, Rows] = {}
        for row in sorted(self._shown(), key=_position, reverse=True):
            of_match.setdefault(row["matchId"], []).append(row)
        found = [rows for rows in of_match.values() if _passes(rows[0], filters)]
        return Listing([_match(rows) for rows in found[:limit]], str(self.now_in_feed))

    def _shown(self) -> Rows:
        return [row for row in self.rows.values() if row["status"] != Status.IGNORED]

    @property
    def now_in_feed(self) -> ChangeCursor:
        """The present place in the change feed."""
        return ChangeCursor(self.xid + 1, epoch=self.epoch)

    async def read(
        self,
        after: ChangeCursor | None,
        filters: Mapping[str, Any],
        limit: int,
        language: str | None = None,
    ) -> ChangePage:
        """Return changes after a place, as the change feed does."""
        self._stated([])
        if after and after.epoch not in (None, self.epoch):
            raise CursorExpired
        start = after or self.now_in_feed
        changes = sorted(
            (
                _changed_row(row, self.epoch, language)
                for row in self._shown()
                if _passes(row, filters)
            ),
            key=lambda change: change.cursor,
        )
        found = [change for change in changes if change.cursor > start][:limit]
        has_more = len(found) == limit
        cursor = found[-1].cursor if has_more else max(self.now_in_feed, start)
        return ChangePage(found, cursor, has_more, held_back=False)

    def _stated(self, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Count a statement; return its rows as their JSON parameters reach Postgres."""
        if self.away:
            raise Unavailable("The database does not answer.")
        self.statements += 1
        given = [
            {to_camel(name): value for name, value in row.items()} | {"id": UUID(row["id"])}
            for row in orjson.loads(orjson.dumps(rows))
        ]
        if any(self.refuses(row) for row in given):
            raise DataRejected("unsupported Unicode escape sequence")
        return given

    def _queued(self, provisional: bool) -> Rows:
        status = Status.READY if provisional else Status.PENDING_AI
        return [
            row
            for row in self.rows.values()
            if row["status"] == status and row["provisional"] >= provisional
        ]

    def _is_free(self, row: Row, ahead_s: float, crashed: bool) -> bool:
        is_put_off = self.now < row["availableAt"] <= self.now + ahead_s
        is_held = row["lease"] and self.now < row["leasedUntil"] <= self.now + ahead_s
        return not is_put_off and not is_held and (row["lease"] is not None) == crashed

    def _leased(self, claim: Row) -> Row | None:
        row = self.rows.get(claim["id"])
        if row is None or str(row["lease"]) != claim["lease"]:
            return None
        is_provisional = row["status"] == Status.READY and row["provisional"]
        return row if is_provisional or row["status"] == Status.PENDING_AI else None

    def _set(self, row: Row, **values: Any) -> ChangedHighlight:
        self.xid += 1
        row |= values | {"updatedAt": self._rfc3339(), "change": self.xid}
        if row["status"] != Status.PENDING_AI:
            row["former"] = None
        return _change(row)

    def _change(self, row: Row) -> ChangedHighlight:
        return _change(self.rows[row["id"]])

    def _rfc3339(self) -> str:
        return f"2026-01-01T00:00:{self.now:09.6f}Z"


def _change(row: Row) -> ChangedHighlight:
    return ChangedHighlight(row["id"], Status(row["status"]))


def _position(row: Row) -> tuple[datetime, UUID]:
    return datetime.fromisoformat(row["occurredAt"]), row["id"]


def _document(row: Row, language: str | None = None) -> Document:
    occurred_at = row["occurredAt"].replace("+00:00", "Z")
    translated = (row["texts"] or {}).get(language, {})
    shown = {name: row[name] for name in SHOWN} | {"occurredAt": occurred_at, **translated}
    return Document(row["id"], occurred_at, orjson.dumps(shown).decode())


def _match(rows: Rows) -> Document:
    """Return a match as the API shows it, of its rows, the newest first."""
    stands = [row for row in rows if row["status"] != Status.RETRACTED]
    named = [row for row in rows if None not in (row["homeTeam"], row["awayTeam"])]
    scored = [row for row in stands if None not in (row["homeScore"], row["awayScore"])]
    latest = _document(rows[0])
    shown = {
        "matchId": rows[0]["matchId"],
        "homeTeam": named[0]["homeTeam"] if named else None,
        "awayTeam": named[0]["awayTeam"] if named else None,
        "homeScore": scored[0]["homeScore"] if scored else None,
        "awayScore": scored[0]["awayScore"] if scored else None,
        "highlights": len(stands),
        "occurredAt": latest.occurred_at,
        "updatedAt": max(row["updatedAt"] for row in rows),
    }
    return Document(latest.id, latest.occurred_at, orjson.dumps(shown).decode())


def _changed_row(row: Row, epoch: str, language: str | None) -> Change:
    return Change(
        ChangeCursor(row["change"], row["id"], epoch),
        UUID(row["matchId"]),
        row["side"],
        row["teamKey"],
        row["eventType"],
        _document(row, language).json,
    )


def _passes(row: Row, filters: Mapping[str, Any]) -> bool:
    position = (filters.get("after"), filters.get("after_id"))
    tests: dict[str, Callable[[Any], bool]] = {
        "match_id": lambda wanted: row["matchId"] == str(wanted),
        "status": lambda wanted: row["status"] == wanted,
        "not_retracted": lambda _: (
            row["status"] in (Status.PENDING_AI, Status.READY, Status.FAILED_AI)
        ),
        "side": lambda wanted: row["side"] == wanted,
        "team_key": lambda wanted: row["teamKey"] == wanted,
        "event_type": lambda wanted: row["eventType"] == wanted,
        "updated_since": lambda wanted: datetime.fromisoformat(row["updatedAt"]) >= wanted,
        "after": lambda _: _position(row) < position,
        "after_id": lambda _: True,
    }
    return all(tests[name](wanted) for name, wanted in filters.items())
