"""Enrichment of highlights: claim by lease, write texts outside a transaction, finish by lease."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from functions.enrich_batch.enricher import Enricher, EnrichmentTask, normalize
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.shared.contract.highlight import HighlightText, Status
from functions.shared.errors import DataRejected
from functions.shared.observability import trace
from functions.shared.postgres.highlights import ChangedHighlight, Claim
from functions.shared.redis.invalidation import CacheInvalidator

log = logging.getLogger(__name__)


class EnrichmentQueue(Protocol):
    """The part of the store that enrich-batch uses."""

    async def claim(self, *, limit: int, lease_s: float, ahead_s: float) -> list[Claim]:
        """Lease pending highlights."""

    async def finish(self, texts: Iterable[tuple[Claim, HighlightText]]) -> list[ChangedHighlight]:
        """Make READY the highlights whose lease is still valid."""

    async def give_back(
        self, claims: Iterable[Claim], *, max_attempts: int, backoff_s: float
    ) -> list[ChangedHighlight]:
        """Postpone, or after `max_attempts` fail, the highlights whose lease is still valid."""

    async def count_pending(self) -> int:
        """Return how many highlights are pending."""


class OutOfAttempts(Exception):
    """All attempts have begun, and the last one ended in a crash."""


@dataclass(slots=True)
class EnrichmentCounts:
    """The highlights that a call claimed, by their attempts, and those that remain pending."""

    claimed: int = 0
    ready: int = 0
    postponed: int = 0
    failed: int = 0
    remaining: int = 0


@dataclass(slots=True)
class _Results:
    """The texts of a batch of claims, and the claims that have none."""

    texts: list[tuple[Claim, HighlightText]] = field(default_factory=list)
    failed: list[Claim] = field(default_factory=list)


class EnrichmentWorker:
    """Works through the queue for a limited time; several workers may do so at once."""

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

    async def run(self) -> EnrichmentCounts:
        """Enrich pending highlights until none is left or the time budget is spent.

        Raises:
            Unavailable: the database is away; claims become free when their leases end.
        """
        counts = EnrichmentCounts()
        deadline = self._clock() + self._settings.enrich_time_budget_s
        while claims := await self._claim():
            counts.claimed += len(claims)
            await self._store_results(await self._write_texts(claims), counts)
            if len(claims) < self._settings.enrich_batch_size or self._clock() >= deadline:
                break
        counts.remaining = await self._queue.count_pending()
        return counts

    async def _claim(self) -> list[Claim]:
        return await self._queue.claim(
            limit=self._settings.enrich_batch_size,
            lease_s=self._settings.enrich_lease_s,
            ahead_s=self._settings.max_ahead_s,
        )

    async def _write_texts(self, claims: Sequence[Claim]) -> _Results:
        results = _Results()
        tasks = [asyncio.ensure_future(self._text(claim)) for claim in claims]
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.enrich_timeout_s):
                await asyncio.gather(*tasks, return_exceptions=True)
        for claim, task in zip(claims, tasks, strict=True):
            error = TimeoutError() if task.cancelled() else task.exception()
            if error is None:
                results.texts.append((claim, task.result()))
            else:
                results.failed.append(claim)
                _log(logging.WARNING, "enrichment failed", claim, error=repr(error))
        return results

    async def _text(self, claim: Claim) -> HighlightText:
        if claim.attempts > self._settings.enrich_max_attempts:
            raise OutOfAttempts
        draft = await self._enricher.enrich(EnrichmentTask(normalize(claim.facts)))
        return draft.texts["en"]

    async def _store_results(self, results: _Results, counts: EnrichmentCounts) -> None:
        claims = [*results.failed, *(claim for claim, _ in results.texts)]
        async with self._cache.change({claim.match_id for claim in claims}):
            ready = await self._finish(results)
            given_back = await self._give_back(results.failed)
        failed = {change.id for change in given_back if change.status is Status.FAILED_AI}
        for claim in (each for each in results.failed if each.id in failed):
            _log(logging.ERROR, "highlight failed", claim, attempts=claim.attempts)
        counts.ready += len(ready)
        counts.failed += len(failed)
        counts.postponed += len(given_back) - len(failed)

    async def _finish(self, results: _Results) -> list[ChangedHighlight]:
        """Store all texts in one statement, or each alone if Postgres refuses one."""
        try:
            return await self._store_texts(results.texts)
        except DataRejected:
            ready: list[ChangedHighlight] = []
            for claim, text in results.texts:
                try:
                    ready += await self._store_texts([(claim, text)])
                except DataRejected as refused:
                    results.failed.append(claim)
                    _log(logging.WARNING, "text refused", claim, error=str(refused))
            return ready

    async def _store_texts(
        self, texts: Sequence[tuple[Claim, HighlightText]]
    ) -> list[ChangedHighlight]:
        if not texts:
            return []
        ready = await self._queue.finish(texts)
        ready_ids = {change.id for change in ready}
        for claim, text in texts:
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
