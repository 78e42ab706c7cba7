"""The highlights, as functions record, enrich and read them in Postgres."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from functions.shared.postgres.highlight_sql import (
    CLAIM,
    CONFLICTS,
    COUNT_PENDING,
    FINISH,
    GET,
    GIVE_BACK,
    LONGEST_BACKOFF_S,
    RECORD,
    is_heavy,
    list_statement,
)
from functions.shared.postgres.pool import Postgres

PENDING_AI: Final = "PENDING_AI"
READY: Final = "READY"
FAILED_AI: Final = "FAILED_AI"
RETRACTED: Final = "RETRACTED"
STATUSES: Final = (PENDING_AI, READY, FAILED_AI, RETRACTED)
# What no reader sees: an event that makes no highlight, known so that a lower revision makes none.
IGNORED: Final = "IGNORED"


@dataclass(frozen=True, slots=True)
class ChangedHighlight:
    """A highlight that a statement changed."""

    id: UUID
    status: str


@dataclass(frozen=True, slots=True)
class Document:
    """A highlight as the API shows it, with what its place in a list is known by."""

    id: UUID
    occurred_at: str
    json: str


class HighlightStore:
    """The highlights, in Postgres; `needs` are the statements that `ready` asks for."""

    def __init__(self, postgres: Postgres, needs: Sequence[str] = ()) -> None:
        self._postgres = postgres
        self._needs = needs

    async def ready(self) -> None:
        """Return if Postgres answers, and has all that our statements name, open to us.

        Raises:
            Unavailable: it does not, or lacks something.
        """
        await self._postgres.explain(self._needs)

    async def record(self, rows: Sequence[Mapping[str, Any]]) -> list[ChangedHighlight]:
        """Record revisions of events, at most one of each event; returns what they changed.

        A row has the names of `COLUMNS`.
        """
        changed = await self._postgres.run(RECORD, rows=_json(rows))
        return [ChangedHighlight(*row) for row in changed]

    async def conflicts(self, rows: Sequence[Mapping[str, Any]]) -> list[UUID]:
        """The ids of the rows that say something else than the same revision as it is recorded."""
        return [id_ for (id_,) in await self._postgres.run(CONFLICTS, rows=_json(rows))]

    async def claim(
        self, *, limit: int, lease_s: float, ahead_s: float = LONGEST_BACKOFF_S
    ) -> list[list[Any]]:
        """Lease up to `limit` highlights that await their text, oldest first.

        None is leased or put off further ahead than `ahead_s`. Rows: id, lease, match_id,
        traceparent, attempts (this one too), then the facts in the order of the contract.
        """
        return await self._postgres.run(CLAIM, limit=limit, lease_s=lease_s, ahead_s=ahead_s)

    async def finish(self, rows: Sequence[Mapping[str, Any]]) -> list[ChangedHighlight]:
        """Make READY those of the rows (id, lease, title, summary) whose lease still holds."""
        finished = await self._postgres.run(FINISH, rows=_json(rows))
        return [ChangedHighlight(*row) for row in finished]

    async def give_back(
        self, rows: Sequence[Mapping[str, Any]], *, attempts: int, backoff_s: float
    ) -> list[ChangedHighlight]:
        """Put off, or at the last attempt fail, the rows (id, lease) whose lease still holds."""
        changed = await self._postgres.run(
            GIVE_BACK, rows=_json(rows), attempts=attempts, backoff_s=backoff_s
        )
        return [ChangedHighlight(*row) for row in changed]

    async def count_pending(self) -> int:
        """How many highlights still await their text."""
        ((count,),) = await self._postgres.run(COUNT_PENDING)
        return int(count)

    async def get(self, highlight_id: UUID) -> Document | None:
        """One highlight, in any status."""
        rows = await self._postgres.run(GET, id=highlight_id)
        return Document(*rows[0]) if rows else None

    async def list(
        self, filters: Mapping[str, Any], *, limit: int, offset: int = 0
    ) -> list[Document]:
        """Highlights by the values of `FILTERS`, newest first by (occurred_at, id)."""
        values = {name: value for name, value in filters.items() if name != "standing"}
        run = self._postgres.run_heavy if is_heavy(filters, offset) else self._postgres.run
        rows = await run(list_statement(filters), limit=limit, offset=offset, **values)
        return [Document(*row) for row in rows]


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(rows).decode()
