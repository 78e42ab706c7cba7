"""Enriching highlights: claim by lease, describe outside of any transaction, finish by lease."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol
from uuid import UUID

from functions.enrich_batch.facts import Enricher
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.shared.contract.highlight import HighlightText, Status
from functions.shared.errors import DataRejected
from functions.shared.observability import trace
from functions.shared.postgres.highlights import ChangedHighlight, Claim

log = logging.getLogger(__name__)


class EnrichmentQueue(Protocol):
    """What enrich-batch needs of the store."""

    async def claim(self, *, limit: int, lease_s: float, ahead_s: float) -> list[Claim]:
        """Lease highlights that await their text."""

    async def finish(self, texts: Iterable[tuple[Claim, HighlightText]]) -> list[ChangedHighlight]:
        """Make READY the highlights whose lease is still valid."""

    async def give_back(
        self, claims: Iterable[Claim], *, max_attempts: int, backoff_s: float
    ) -> list[ChangedHighlight]:
        """Put off, or after `max_attempts` fail, the highlights whose lease is still valid."""

    async def count_pending(self) -> int:
        """How many highlights still await their text."""


class CacheInvalidator(Protocol):
    """What enrich-batch needs of the cache."""

    def change(self, match_ids: set[UUID]) -> AbstractAsyncContextManager[None]:
        """Around a change of these matches' highlights."""


class OutOfAttempts(Exception):
    """Every attempt was begun, and none came to an end: each ended in a crash."""


@dataclass(slots=True)
class Tally:
    """What one call did, and what remains to be done."""

    claimed: int = 0
    ready: int = 0
    postponed: int = 0
    failed: int = 0
    remaining: int = 0


@dataclass(slots=True)
class _Outcome:
    described: list[tuple[Claim, HighlightText]] = field(default_factory=list)
    failed: list[Claim] = field(default_factory=list)


class EnrichBatch:
    """Works through the queue for a bounded time; several may do so at once."""

    def __init__(
        self,
        queue: EnrichmentQueue,
        cache: CacheInvalidator,
        enricher: Enricher,
        settings: EnrichBatchSettings,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._queue = queue
        self._cache = cache
        self._enricher = enricher
        self._settings = settings
        self._clock = clock

    async def run(self) -> Tally:
        """Enrich what awaits its text, until nothing does or the time budget is spent.

        Raises:
            Unavailable: the database is away; what was claimed comes up again by itself.
        """
        tally = Tally()
        deadline = self._clock() + self._settings.enrich_time_budget_s
        while claims := await self._claim():
            tally.claimed += len(claims)
            await self._settle(await self._describe(claims), tally)
            if len(claims) < self._settings.enrich_batch_size or self._clock() >= deadline:
                break
        tally.remaining = await self._queue.count_pending()
        return tally

    async def _claim(self) -> list[Claim]:
        return await self._queue.claim(
            limit=self._settings.enrich_batch_size,
            lease_s=self._settings.enrich_lease_s,
            ahead_s=self._settings.furthest_ahead_s,
        )

    async def _describe(self, claims: Sequence[Claim]) -> _Outcome:
        outcome = _Outcome()
        tasks = [asyncio.ensure_future(self._text(claim)) for claim in claims]
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.enrich_timeout_s):
                await asyncio.gather(*tasks, return_exceptions=True)
        for claim, task in zip(claims, tasks, strict=True):
            error = TimeoutError() if task.cancelled() else task.exception()
            if error is None:
                outcome.described.append((claim, task.result()))
            else:
                outcome.failed.append(claim)
                _log(logging.WARNING, "enrichment failed", claim, error=repr(error))
        return outcome

    async def _text(self, claim: Claim) -> HighlightText:
        if claim.attempts > self._settings.enrich_max_attempts:
            raise OutOfAttempts
        return await self._enricher.enrich(claim.facts)

    async def _settle(self, outcome: _Outcome, tally: Tally) -> None:
        claims = [*outcome.failed, *(claim for claim, _ in outcome.described)]
        async with self._cache.change({claim.match_id for claim in claims}):
            ready = await self._finish(outcome)
            given_back = await self._give_back(outcome.failed)
        failed = {change.id for change in given_back if change.status is Status.FAILED_AI}
        for claim in (each for each in outcome.failed if each.id in failed):
            _log(logging.ERROR, "highlight failed", claim, attempts=claim.attempts)
        tally.ready += len(ready)
        tally.failed += len(failed)
        tally.postponed += len(given_back) - len(failed)

    async def _finish(self, outcome: _Outcome) -> list[ChangedHighlight]:
        """Keep all texts in one statement; if Postgres refuses one, each alone."""
        try:
            return await self._keep(outcome.described)
        except DataRejected:
            ready: list[ChangedHighlight] = []
            for claim, text in outcome.described:
                try:
                    ready += await self._keep([(claim, text)])
                except DataRejected as refused:
                    outcome.failed.append(claim)
                    _log(logging.WARNING, "text refused", claim, error=str(refused))
            return ready

    async def _keep(
        self, described: Sequence[tuple[Claim, HighlightText]]
    ) -> list[ChangedHighlight]:
        if not described:
            return []
        ready = await self._queue.finish(described)
        ready_ids = {change.id for change in ready}
        for claim, text in described:
            if claim.id in ready_ids:
                _log(logging.INFO, "highlight ready", claim, title=text.title)
        return ready

    async def _give_back(self, claims: Sequence[Claim]) -> list[ChangedHighlight]:
        if not claims:
            return []
        return await self._queue.give_back(
            claims,
            max_attempts=self._settings.enrich_max_attempts,
            backoff_s=self._settings.enrich_backoff_s,
        )


def _log(level: int, message: str, claim: Claim, **fields: object) -> None:
    if claim.traceparent:
        fields["correlationId"] = trace.trace_id(claim.traceparent)
    log.log(level, message, extra={"fields": {"highlightId": str(claim.id), **fields}})
