"""The results of attempts, as they are stored, counted and logged."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from functions.enrich_batch.queue.enrichment_queue import EnrichmentQueue
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.shared.contract.highlight import Enrichment, Status
from functions.shared.errors import DataRejected
from functions.shared.observability import trace
from functions.shared.observability.metrics import Counter
from functions.shared.postgres.highlights import ChangedHighlight, Claim, GivenBack
from functions.shared.redis.invalidation import CacheInvalidator

READY = Counter(
    "enrich_batch_texts_total", "Highlights that became READY, by who wrote.", label="enriched_by"
)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class EnrichmentCounts:
    """The highlights that a call claimed, by their attempts, and those that remain pending.

    Of the ready ones, some have a provisional text; `tokens` are those that a model used for them.
    """

    claimed: int = 0
    ready: int = 0
    provisional: int = 0
    postponed: int = 0
    failed: int = 0
    remaining: int = 0
    tokens: int = 0


@dataclass(slots=True)
class Results:
    """The texts of some claims, and the claims that have none."""

    texts: list[tuple[Claim, Enrichment]] = field(default_factory=list)
    given_back: list[GivenBack] = field(default_factory=list)


class ResultStore:
    """Stores results, with the pages of their matches dropped from the cache.

    `failed` returns the end of a claim whose text Postgres refuses.
    """

    def __init__(
        self,
        queue: EnrichmentQueue,
        cache: CacheInvalidator,
        settings: EnrichBatchSettings,
        failed: Callable[[Claim], GivenBack],
    ) -> None:
        self._queue = queue
        self._cache = cache
        self._settings = settings
        self._failed = failed

    async def store(self, results: Results, counts: EnrichmentCounts) -> None:
        """Store and count results; those of a lease that is over change nothing.

        Raises:
            Unavailable: the database is away.
        """
        claims = [
            *(each.claim for each in results.given_back),
            *(claim for claim, _ in results.texts),
        ]
        counts.tokens += sum(each.tokens for _, each in results.texts)
        async with self._cache.change({claim.match_id for claim in claims}):
            ready = await self._finish(results)
            given_back = await self._give_back(results.given_back)
        failed = {change.id for change in given_back if change.status is Status.FAILED_AI}
        for claim in (each.claim for each in results.given_back if each.claim.id in failed):
            log_claim(logging.ERROR, "highlight failed", claim, attempts=claim.attempts)
        counts.ready += len(ready)
        counts.provisional += sum(each.provisional for each in ready)
        counts.failed += len(failed)
        counts.postponed += len(given_back) - len(failed)

    async def _finish(self, results: Results) -> list[Enrichment]:
        """Store all texts in one statement, or each alone if Postgres refuses one."""
        try:
            return await self._store_texts(results.texts)
        except DataRejected:
            ready: list[Enrichment] = []
            for claim, text in results.texts:
                try:
                    ready += await self._store_texts([(claim, text)])
                except DataRejected as refused:
                    results.given_back.append(self._failed(claim))
                    log_claim(logging.WARNING, "text refused", claim, error=str(refused))
            return ready

    async def _store_texts(self, texts: Sequence[tuple[Claim, Enrichment]]) -> list[Enrichment]:
        """Store texts; return those that made their highlights READY."""
        if not texts:
            return []
        ready_ids = {change.id for change in await self._queue.finish(texts)}
        ready = [(claim, each) for claim, each in texts if claim.id in ready_ids]
        for claim, each in ready:
            READY.increment(of=each.enriched_by)
            fields = {"refused": each.refused} if each.refused else {}
            log_claim(logging.INFO, "highlight ready", claim, title=each.text.title, **fields)
        return [each for _, each in ready]

    async def _give_back(self, given_back: Sequence[GivenBack]) -> list[ChangedHighlight]:
        if not given_back:
            return []
        return await self._queue.give_back(
            given_back, max_attempts=self._settings.enrich_max_attempts
        )


def log_claim(level: int, message: str, claim: Claim, **fields: object) -> None:
    """Log a message about a claimed highlight, with the id of its trace."""
    if claim.traceparent:
        fields["correlationId"] = trace.trace_id(claim.traceparent)
    log.log(level, message, extra={"fields": {"highlightId": str(claim.id), **fields}})
