"""One process of each function that uses the cache, as objects, and delays at its seams."""

import asyncio
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from functions.consume_goal.consume import EventConsumer
from functions.list_highlights.pages import PageReader
from functions.shared.postgres.change_feed import ChangeFeed
from functions.shared.postgres.highlights import (
    ChangedHighlight,
    HighlightStore,
    Listing,
    Revision,
)
from functions.shared.postgres.pool import Postgres
from functions.shared.redis.page_cache import PageCache
from functions.shared.redis.settings import RedisSettings
from tests.support.builders.revisions import RULES
from tests.support.fakes.services import FakePublisher

DELAYS_S = (0, 0, 0.003, 0.01)  # at a seam: what a busy process, or a network, may take


class Instance:
    """The functions of one process, with a cache of their own and the table that all share."""

    def __init__(self, postgres: Postgres, settings: RedisSettings, random: Random) -> None:
        self.cache = PageCache(settings)
        self.store = _DelayedStore(postgres, random)
        self.pages = PageReader(self.store, self.cache, ChangeFeed(postgres))
        self.consumer = EventConsumer(self.store, self.cache, FakePublisher(), RULES)


class _DelayedStore(HighlightStore):
    """The table, slow before and after a statement."""

    def __init__(self, postgres: Postgres, random: Random) -> None:
        super().__init__(postgres)
        self._random = random

    async def record(self, revisions: Iterable[Revision]) -> list[ChangedHighlight]:
        await self._delay()
        changed = await super().record(revisions)
        await self._delay()
        return changed

    async def list(self, filters: Mapping[str, Any], **page: Any) -> Listing:
        listing = await super().list(filters, **page)
        await self._delay()
        return listing

    async def _delay(self) -> None:
        await asyncio.sleep(self._random.choice(DELAYS_S))
