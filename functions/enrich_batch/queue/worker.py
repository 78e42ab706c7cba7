"""Enrichment of highlights: claim by lease, write texts outside a transaction, finish by lease."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from time import monotonic

from functions.enrich_batch.queue.attempts import Attempts, Write
from functions.enrich_batch.queue.corrections import Corrections
from functions.enrich_batch.queue.enrichment_queue import EnrichmentQueue
from functions.enrich_batch.queue.protected_enricher import ProtectedEnricher
from functions.enrich_batch.queue.results import EnrichmentCounts, Results, ResultStore, log_claim
from functions.enrich_batch.review import Reviewer
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.shared.contract.highlight import Enrichment
from functions.shared.postgres.highlights import Claim, GivenBack, Pending
from functions.shared.redis.invalidation import CacheInvalidator

IN_A_TURN = 25  # texts of the template, before other requests, as for /health, have theirs


@dataclass(slots=True)
class _Run:
    """A call's counts, when it makes no more claims, and when its attempts have to end."""

    budget_ends: float
    deadline: float
    counts: EnrichmentCounts = field(default_factory=EnrichmentCounts)


class EnrichmentWorker:
    """Works through the queue for a limited time; several workers may do so at once.

    The template writes whole batches at once. An `endpoint`, which `reviewer` has as its enricher,
    gets several highlights at once, each claimed in its turn; while it is away, new highlights get
    the template's text for the time being, or wait. A process has one worker for all its calls.
    """

    def __init__(
        self,
        queue: EnrichmentQueue,
        cache: CacheInvalidator,
        reviewer: Reviewer,
        settings: EnrichBatchSettings,
        endpoint: ProtectedEnricher | None = None,
        *,
        clock: Callable[[], float] = monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._queue = queue
        self._reviewer = reviewer
        self._settings = settings
        self._endpoint = endpoint
        self._attempts = Attempts(queue, reviewer, settings, endpoint, clock=clock, uniform=uniform)
        self._results = ResultStore(queue, cache, settings, self._attempts.failed)
        self._corrections = Corrections(queue, cache, reviewer, settings)
        self._clock = clock
        self._runs = 0  # under way
        self._lanes = 0  # of all runs, each with one highlight at the endpoint

    async def run(self) -> EnrichmentCounts:
        """Enrich pending highlights until none is left or the time budget is spent.

        Raises:
            Unavailable: the database is away; claims become free when their leases end.
        """
        now = self._clock()
        run = _Run(
            now + self._settings.enrich_time_budget_s, now + self._settings.enrich_deadline_s
        )
        self._runs += 1
        try:
            if self._endpoint is None:
                await self._enrich_batches(run, self._reviewer.review)
            else:
                await self._enrich_by_endpoint(run, self._endpoint)
            await self._enrich_crashed(run)
        finally:
            self._runs -= 1
        return run.counts

    async def _claim(self, limit: int, **which: bool) -> list[Claim]:
        return await self._queue.claim(
            limit=limit,
            lease_s=self._settings.enrich_lease_s,
            ahead_s=self._settings.max_ahead_s,
            **which,
        )

    async def _enrich_batches(self, run: _Run, write: Write) -> None:
        size = self._settings.enrich_batch_size
        while claims := await self._claim(size):
            await self._enrich_batch(run, claims, write)
            if len(claims) < size or self._clock() >= run.budget_ends:
                break

    async def _enrich_batch(self, run: _Run, claims: Sequence[Claim], write: Write) -> None:
        run.counts.claimed += len(claims)
        limit_s = min(self._settings.enrich_timeout_s, run.deadline - self._clock())
        await self._results.store(await self._write_texts(claims, write, limit_s), run.counts)

    async def _write_texts(self, claims: Sequence[Claim], write: Write, limit_s: float) -> Results:
        results = Results()
        tasks: list[asyncio.Future[Enrichment]] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                for first in range(0, len(claims), IN_A_TURN):
                    turn = claims[first : first + IN_A_TURN]
                    tasks += [
                        asyncio.ensure_future(self._attempts.write(each, write)) for each in turn
                    ]
                    await asyncio.gather(*tasks[first:], return_exceptions=True)
        for claim, task in zip_longest(claims, tasks):
            if task and not task.cancelled() and task.exception() is None:
                results.texts.append((claim, task.result()))
            else:
                error = task.exception() if task and not task.cancelled() else TimeoutError()
                results.given_back.append(self._attempts.failed(claim))
                log_claim(logging.WARNING, "enrichment failed", claim, error=repr(error))
        return results

    async def _enrich_by_endpoint(self, run: _Run, endpoint: ProtectedEnricher) -> None:
        progress = True
        while progress and self._clock() < run.budget_ends:
            claimed = run.counts.claimed
            if endpoint.is_away and self._settings.enrich_while_away == "template":
                await self._enrich_batches(run, self._stand_in)
            await self._corrections.show_what_holds()
            if endpoint.wait_s():
                return
            await self._fill_lanes(run, endpoint)
            progress = run.counts.claimed > claimed

    @property
    def _stand_in(self) -> Write:
        return partial(self._reviewer.fall_back, provisional=True)

    async def _fill_lanes(self, run: _Run, endpoint: ProtectedEnricher) -> None:
        """Enrich up to the limit at once; one alone, once, if the endpoint was away."""
        is_probe = endpoint.is_open
        free = 1 if is_probe else max(0, self._settings.enrich_concurrency - self._lanes)
        self._lanes += free
        claims: list[Claim] = []
        try:
            claims = await self._claim_any(free)
        finally:
            self._lanes -= free - len(claims)
        lanes = [
            asyncio.ensure_future(self._lane(run, endpoint, claim, once=is_probe))
            for claim in claims
        ]
        for lane in lanes:
            lane.add_done_callback(self._free_lane)
        for ended in await asyncio.gather(*lanes, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    def _free_lane(self, _: object) -> None:
        self._lanes -= 1

    async def _lane(
        self, run: _Run, endpoint: ProtectedEnricher, claim: Claim, *, once: bool
    ) -> None:
        """Enrich one highlight after the other."""
        claims = [claim]
        while claims:
            await self._enrich_one(run, claims[0])
            if once or self._clock() >= run.budget_ends or endpoint.wait_s():
                return
            await self._corrections.show_what_holds()
            claims = await self._claim_any(1)

    async def _claim_any(self, limit: int) -> list[Claim]:
        """Claim new highlights, and if there are too few, those with a provisional text."""
        claims = await self._claim(limit) if limit else []
        if len(claims) < limit:
            claims += await self._claim(limit - len(claims), provisional=True)
        return claims

    async def _enrich_one(self, run: _Run, claim: Claim) -> None:
        run.counts.claimed += 1
        ended = await self._attempts.make(claim, run.deadline - self._clock())
        results = Results()
        if isinstance(ended, Enrichment):
            results.texts.append((claim, ended))
        elif isinstance(ended, GivenBack):
            results.given_back.append(ended)
        if ended:
            await self._results.store(results, run.counts)

    async def _enrich_crashed(self, run: _Run) -> None:
        """Count what remains, and enrich what may have crashed its worker, each alone.

        It is left to the next call while another of this process, which it might crash, works.
        """
        pending = await self._count_pending(run)
        found = False
        while (pending.crashed or self._endpoint) and self._runs == 1:
            is_late = self._clock() >= run.deadline
            claim = None if is_late else await self._claim_crashed()
            if claim is None:
                break
            found = True
            if self._endpoint is None:
                await self._enrich_batch(run, [claim], self._reviewer.review)
            elif self._endpoint.wait_s():
                await self._enrich_batch(run, [claim], self._stand_in)
            else:
                await self._enrich_one(run, claim)
            if self._clock() >= run.budget_ends:
                break
        if found:
            await self._count_pending(run)

    async def _count_pending(self, run: _Run) -> Pending:
        pending = await self._queue.count_pending(ahead_s=self._settings.max_ahead_s)
        run.counts.remaining = pending.total
        return pending

    async def _claim_crashed(self) -> Claim | None:
        claims: list[Claim] = []
        is_away = self._endpoint is not None and self._endpoint.is_away
        if not is_away or self._settings.enrich_while_away == "template":
            claims = await self._claim(1, crashed=True)
        if not claims and self._endpoint is not None and not is_away:
            claims = await self._claim(1, crashed=True, provisional=True)
        return claims[0] if claims else None
