"""The table of highlights, as functions record, enrich and read it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from functions.shared.contract.event import IdentifiedEvent
from functions.shared.contract.highlight import Enrichment, Facts, HighlightText, Status
from functions.shared.contract.team_names import Side
from functions.shared.postgres.change_sql import NOW
from functions.shared.postgres.highlight_sql import (
    CLAIM,
    CLAIM_CRASHED,
    CLAIM_CRASHED_PROVISIONAL,
    CLAIM_PROVISIONAL,
    CONFLICTS,
    CORRECTED,
    COUNT_PENDING,
    FINISH,
    GET,
    GIVE_BACK,
    LONGEST_BACKOFF_S,
    PROLONG,
    RECORD,
    SETTLE,
    is_heavy,
    list_statement,
)
from functions.shared.postgres.match_sql import matches_statement
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.session import Row

Rows = list[Row]

# By whether the highlights have a provisional text, and whether their last worker crashed.
_CLAIMS = {
    (False, False): CLAIM,
    (True, False): CLAIM_PROVISIONAL,
    (False, True): CLAIM_CRASHED,
    (True, True): CLAIM_CRASHED_PROVISIONAL,
}


@dataclass(slots=True)  # frozen, it would take three times as long to make, 500 in a batch
class Revision:
    """A revision of an event, and what the table records besides.

    `id` is the highlight's. `side` and `team_key` are what lists are filtered by: the side that the
    event's team is, and the team's folded name. `status` is that of an event without other
    revisions.
    """

    event: IdentifiedEvent
    id: str
    side: Side | None
    team_key: str | None
    status: Status
    traceparent: str | None

    def to_row(self) -> dict[str, Any]:
        """Return the values of COLUMNS, by their names."""
        return {
            **vars(self.event),  # its fields; `model_dump` takes several times as long
            "id": self.id,
            "side": self.side,
            "team_key": self.team_key,
            "status": self.status,
            "traceparent": self.traceparent,
        }


@dataclass(frozen=True, slots=True)
class Claim:
    """A highlight that one worker alone may enrich until its lease ends.

    `attempts` counts this one too. One that is `provisional` is READY, with a text that is to be
    replaced.
    """

    id: UUID
    lease: UUID
    match_id: UUID
    traceparent: str | None
    attempts: int
    provisional: bool
    facts: Facts


class Pending(NamedTuple):
    """How many highlights await their text, and of how many the worker may have crashed."""

    total: int
    crashed: int


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A claim that ends without a text: the seconds to wait, and whether the attempt counts."""

    claim: Claim
    wait_s: float
    failed: bool = True


@dataclass(frozen=True, slots=True)
class Correction:
    """A pending highlight whose facts changed, and its former texts, which are hidden."""

    id: UUID
    revision: int
    match_id: UUID
    former: Enrichment
    facts: Facts


@dataclass(slots=True)
class ChangedHighlight:
    """A highlight that a statement changed."""

    id: UUID
    status: Status


@dataclass(frozen=True, slots=True)
class Document:
    """A highlight in JSON, as the API shows it; `occurred_at` and `id` are its place in a list.

    Of a match, these are of its latest highlight.
    """

    id: UUID
    occurred_at: str
    json: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of documents, and the place in the change feed of the moment when it was read."""

    documents: list[Document]
    moment: str


class HighlightStore:
    """The highlights, in Postgres; `statements` are those that `ready` checks."""

    def __init__(self, postgres: Postgres, statements: Sequence[str] = ()) -> None:
        self._postgres = postgres
        self._statements = statements

    async def ready(self) -> None:
        """Return if Postgres answers, and has all that the statements name, open to us.

        Raises:
            Unavailable: it does not, or lacks something.
        """
        await self._postgres.explain(self._statements)

    async def record(self, revisions: Iterable[Revision]) -> list[ChangedHighlight]:
        """Record revisions, at most one of each event; return the highlights that they changed."""
        return _changed(await self._postgres.run(RECORD, rows=_rows(revisions)))

    async def conflicts(self, revisions: Iterable[Revision]) -> list[UUID]:
        """Return the ids of the highlights whose same revision is recorded with other content."""
        return [id_ for (id_,) in await self._postgres.run(CONFLICTS, rows=_rows(revisions))]

    async def claim(
        self,
        *,
        limit: int,
        lease_s: float,
        ahead_s: float = LONGEST_BACKOFF_S,
        provisional: bool = False,
        crashed: bool = False,
    ) -> list[Claim]:
        """Lease up to `limit` highlights that await their text, oldest first.

        Instead, `provisional` leases those that are READY with a text that is to be replaced, and
        `crashed` those whose last lease expired, so that their worker may have crashed over them.
        No lease ends, and no backoff, more than `ahead_s` seconds from now: one that claims to was
        written before the clock stepped back.
        """
        rows = await self._postgres.run(
            _CLAIMS[provisional, crashed], limit=limit, lease_s=lease_s, ahead_s=ahead_s
        )
        return [
            Claim(id_, lease, match_id, traceparent, attempts, is_provisional, Facts(*facts))
            for id_, lease, match_id, traceparent, attempts, is_provisional, *facts in rows
        ]

    async def prolong(self, claim: Claim, *, lease_s: float) -> bool:
        """Have a lease end `lease_s` seconds from now; return whether it was still valid."""
        rows = await self._postgres.run(PROLONG, id=claim.id, lease=claim.lease, lease_s=lease_s)
        return bool(rows)

    async def finish(self, texts: Iterable[tuple[Claim, Enrichment]]) -> list[ChangedHighlight]:
        """Make READY, with their texts, the highlights whose lease is still valid."""
        rows = [
            {
                "id": claim.id,
                "lease": claim.lease,
                "title": each.text.title,
                "summary": each.text.summary,
                "texts": each.texts,
                "enriched_by": each.enriched_by,
                "refused": each.refused or None,
                "thumbnail_url": each.thumbnail_url,
                "provisional": each.provisional,
            }
            for claim, each in texts
        ]
        return _changed(await self._postgres.run(FINISH, rows=_json(rows)))

    async def give_back(
        self, given_back: Iterable[GivenBack], *, max_attempts: int
    ) -> list[ChangedHighlight]:
        """Put off, or after `max_attempts` fail, the highlights whose lease is still valid.

        A READY highlight keeps its provisional text; after `max_attempts` it is not replaced.
        """
        rows = [
            {
                "id": each.claim.id,
                "lease": each.claim.lease,
                "wait_s": each.wait_s,
                "failed": each.failed,
            }
            for each in given_back
        ]
        return _changed(
            await self._postgres.run(GIVE_BACK, rows=_json(rows), attempts=max_attempts)
        )

    async def corrected(self, *, limit: int) -> list[Correction]:
        """Return up to `limit` corrected highlights whose former texts are still to be checked."""
        return [
            Correction(id_, revision, match_id, _former(former), Facts(*facts))
            for id_, revision, match_id, former, *facts in await self._postgres.run(
                CORRECTED, limit=limit
            )
        ]

    async def settle(
        self, corrections: Iterable[tuple[Correction, Enrichment | None]]
    ) -> list[ChangedHighlight]:
        """Show these texts of highlights that are still pending, or none, and drop the former ones.

        What has been revised, retracted, enriched or settled meanwhile is not changed.
        """
        rows = [
            {
                "id": correction.id,
                "revision": correction.revision,
                "title": shown and shown.text.title,
                "summary": shown and shown.text.summary,
                "texts": shown and shown.texts,
                "enriched_by": shown and shown.enriched_by,
            }
            for correction, shown in corrections
        ]
        return _changed(await self._postgres.run(SETTLE, rows=_json(rows)))

    async def count_pending(self, *, ahead_s: float = LONGEST_BACKOFF_S) -> Pending:
        """Return how many highlights still await their text; `ahead_s` is as for a claim."""
        ((total, crashed),) = await self._postgres.run(COUNT_PENDING, ahead_s=ahead_s)
        return Pending(total, crashed)

    async def get(self, highlight_id: UUID, language: str | None = None) -> Document | None:
        """Return one highlight, in any status that is shown.

        Its title and summary are those of `texts` in a language, if it has them there.
        """
        rows = await self._postgres.run(GET, id=highlight_id, lang=language)
        return Document(*rows[0]) if rows else None

    async def list(
        self,
        filters: Mapping[str, Any],
        *,
        limit: int,
        offset: int = 0,
        language: str | None = None,
    ) -> Listing:
        """Return highlights by the values of FILTERS, newest first by (occurred_at, id).

        The language is as in `get`.
        """
        values = {name: value for name, value in filters.items() if name != "not_retracted"}
        run = self._postgres.run_heavy if is_heavy(filters, offset) else self._postgres.run
        values |= {"limit": limit, "offset": offset, "lang": language}
        return await self._list(partial(run, list_statement(filters), **values))

    async def matches(self, filters: Mapping[str, Any], *, limit: int) -> Listing:
        """Return matches by the values of MATCH_FILTERS, that with the latest highlight first.

        A match of very many highlights takes long, as all of them are counted.
        """
        return await self._list(
            partial(self._postgres.run_heavy, matches_statement(filters), limit=limit, **filters)
        )

    async def _list(self, run: Callable[[], Awaitable[Rows]]) -> Listing:
        """Run a statement whose rows end with the moment; if it has none, ask for that before."""
        rows = await run()
        if rows:
            return Listing([Document(*row) for *row, _ in rows], rows[0][-1])
        ((moment,),) = await self._postgres.run(NOW)
        return Listing([Document(*row) for *row, _ in await run()], moment)


def _rows(revisions: Iterable[Revision]) -> str:
    return _json([revision.to_row() for revision in revisions])


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(rows).decode()


def _former(column: Mapping[str, Any]) -> Enrichment:
    texts = {tag: HighlightText(**text) for tag, text in column["texts"].items()}
    return Enrichment(texts, column["enriched_by"])


def _changed(rows: Iterable[Row]) -> list[ChangedHighlight]:
    return [ChangedHighlight(id_, Status[status]) for id_, status in rows]
