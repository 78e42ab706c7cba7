"""Corrected highlights: former texts that are still true are shown until there are new ones."""

import logging

from functions.enrich_batch.queue.enrichment_queue import EnrichmentQueue
from functions.enrich_batch.review import Reviewer
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.shared.contract.highlight import Enrichment
from functions.shared.postgres.highlights import Correction
from functions.shared.redis.invalidation import CacheInvalidator

log = logging.getLogger(__name__)


class Corrections:
    """Checks former texts against the corrected facts, without a lease or an attempt."""

    def __init__(
        self,
        queue: EnrichmentQueue,
        cache: CacheInvalidator,
        reviewer: Reviewer,
        settings: EnrichBatchSettings,
    ) -> None:
        self._queue = queue
        self._cache = cache
        self._reviewer = reviewer
        self._limit = settings.enrich_batch_size

    async def show_what_holds(self) -> None:
        """Show the former texts that are still true, and drop the others.

        Raises:
            Unavailable: the database is away.
        """
        corrections = await self._queue.corrected(limit=self._limit)
        if corrections:
            settled = [(each, self._recheck(each)) for each in corrections]
            async with self._cache.change({each.match_id for each in corrections}):
                await self._queue.settle(settled)

    def _recheck(self, correction: Correction) -> Enrichment | None:
        fields: dict[str, object] = {"highlightId": str(correction.id)}
        try:
            shown = self._reviewer.recheck(correction.former, correction.facts)
        except Exception as error:
            log.warning("old text not checked", extra={"fields": fields | {"error": repr(error)}})
            return None
        message = "old text shown until the new one is written" if shown else "old text dropped"
        log.info(message, extra={"fields": fields})
        return shown
