"""Attempts to enrich one highlight each, and what becomes of one that fails."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from time import monotonic
from uuid import UUID

from functions.enrich_batch.enricher import EnricherUnavailable
from functions.enrich_batch.queue.enrichment_queue import EnrichmentQueue
from functions.enrich_batch.queue.protected_enricher import ProtectedEnricher
from functions.enrich_batch.queue.results import log_claim
from functions.enrich_batch.review import Reviewer
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.shared.contract.highlight import Enrichment, Facts
from functions.shared.errors import Unavailable
from functions.shared.postgres.highlights import Claim, GivenBack

Write = Callable[[Facts], Awaitable[Enrichment]]

PROLONGED_IN_A_LEASE = 3  # times
MAX_REMEMBERED = 10_000  # highlights over which the endpoint failed


class OutOfAttempts(Exception):
    """All attempts have begun, and the last one ended in a crash."""


class LeaseLost(Exception):
    """The highlight was retracted or corrected meanwhile, or another worker has claimed it."""


class Attempts:
    """Attempts of an enricher with an endpoint; a lease is prolonged while it works.

    An attempt counts when the endpoint is away only if it has answered others since it failed over
    the same highlight, or this one just before, with a text that was refused: else a highlight over
    which it always fails, or whose next try always comes too early, would never end.
    """

    def __init__(
        self,
        queue: EnrichmentQueue,
        reviewer: Reviewer,
        settings: EnrichBatchSettings,
        endpoint: ProtectedEnricher | None = None,
        *,
        clock: Callable[[], float] = monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._queue = queue
        self._reviewer = reviewer
        self._endpoint = endpoint
        self._settings = settings
        self._clock = clock
        self._uniform = uniform
        self._failed_at: dict[UUID, float] = {}

    async def make(self, claim: Claim, limit_s: float) -> Enrichment | GivenBack | None:
        """Return the texts, or what else ends the claim; None if its lease is lost.

        After `limit_s` seconds the attempt has failed.
        """
        is_last = claim.attempts >= self._settings.enrich_max_attempts
        try:
            async with asyncio.timeout(limit_s):
                return await self._hold(claim, self.write(claim, self._reviewer.review))
        except LeaseLost:
            log_claim(logging.INFO, "enrichment stopped: the lease is lost", claim)
            return None
        except EnricherUnavailable as away:
            return await self._end_without_endpoint(claim, away, is_last=is_last)
        except Exception as error:
            log_claim(logging.WARNING, "enrichment failed", claim, error=repr(error))
            if is_last and not claim.provisional and not isinstance(error, OutOfAttempts):
                return await self._fall_back(claim)
            return self.failed(claim)

    async def write(self, claim: Claim, write: Write) -> Enrichment:
        """Return the texts that `write` writes.

        Raises:
            OutOfAttempts: there has been the last attempt already.
        """
        if claim.attempts > self._settings.enrich_max_attempts:
            raise OutOfAttempts
        return await write(claim.facts)

    def failed(self, claim: Claim) -> GivenBack:
        """Return a claim whose attempt failed, with an exponential backoff with full jitter."""
        return GivenBack(claim, self._backoff_s(claim))

    async def _end_without_endpoint(
        self, claim: Claim, away: EnricherUnavailable, *, is_last: bool
    ) -> Enrichment | GivenBack:
        counts = self._counts(claim, away)
        log_claim(logging.INFO, "endpoint away", claim, error=str(away), counts=counts)
        if not claim.provisional:
            if counts and is_last:
                return await self._fall_back(claim)
            if self._settings.enrich_while_away == "template":
                return await self._fall_back(claim, provisional=True)
        asked_s = min(away.retry_after_s or 0.0, self._settings.longest_backoff_s)
        return GivenBack(claim, asked_s or self._backoff_s(claim), failed=counts)

    def _counts(self, claim: Claim, away: EnricherUnavailable) -> bool:
        """Return whether the endpoint failed over this highlight rather than was away."""
        if away.after_refusal:
            return True
        if away.retry_after_s:
            return False
        before = self._failed_at.get(claim.id)
        if len(self._failed_at) >= MAX_REMEMBERED:
            self._failed_at.clear()
        self._failed_at[claim.id] = self._clock()
        answered_at = self._endpoint.answered_at if self._endpoint else 0.0
        return before is not None and answered_at > before

    async def _fall_back(
        self, claim: Claim, *, provisional: bool = False
    ) -> Enrichment | GivenBack:
        try:
            return await self._reviewer.fall_back(claim.facts, provisional=provisional)
        except Exception as error:
            log_claim(logging.WARNING, "enrichment failed", claim, error=repr(error))
            return self.failed(claim)

    def _backoff_s(self, claim: Claim) -> float:
        return self._uniform(0.0, self._settings.backoff_s(claim.attempts))

    async def _hold(self, claim: Claim, work: Coroutine[object, object, Enrichment]) -> Enrichment:
        """Return the result of `work`, and prolong the lease meanwhile."""
        task = asyncio.ensure_future(work)
        try:
            while True:
                await asyncio.wait(
                    {task}, timeout=self._settings.enrich_lease_s / PROLONGED_IN_A_LEASE
                )
                if task.cancelled():
                    raise TimeoutError
                if task.done():
                    return task.result()
                if not await self._prolong(claim):
                    raise LeaseLost
        finally:
            task.cancel()

    async def _prolong(self, claim: Claim) -> bool:
        try:
            return await self._queue.prolong(claim, lease_s=self._settings.enrich_lease_s)
        except Unavailable:
            return True  # it is tried again before the lease ends
