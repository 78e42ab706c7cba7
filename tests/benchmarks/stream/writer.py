"""Goals of ten matches, recorded and given their texts one by one, as the functions do it."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

from functions.consume_goal.revisions import revision_of
from functions.enrich_batch.review import Reviewer
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.shared.contract.event import IdentifiedEvent
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.highlights import ChangedHighlight, HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.page_cache import PageCache
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.load import load
from local.stack.stack import Stack
from tests.support.builders.events import FIRST_GOAL
from tests.support.builders.revisions import RULES

MATCHES = 10
GOALS = 4  # of a match
PAUSE_S = 0.1  # between two changes
LEASE_S = 60.0

Key = tuple[str, str]  # the id and the status of a highlight


class Commit(NamedTuple):
    """A change, and when it was committed, by `time.perf_counter`."""

    key: Key
    at: float


async def commits(stack: Stack) -> list[Commit]:
    """Make the goals of all matches PENDING_AI, then READY, and so on; return what was committed.

    Between two changes of a highlight all others are changed, so that no reader may leave one out.
    """
    settings = {**stack.addresses.settings, **stack.addresses.function_settings("enrich_batch")}
    postgres = Postgres(load(PostgresSettings, settings))
    writer = _Writer(HighlightStore(postgres), PageCache(load(RedisSettings, settings)))
    matches = [uuid4() for _ in range(MATCHES)]
    for number in range(GOALS):
        for match_id in matches:
            goal = {**FIRST_GOAL, "matchId": str(match_id), "eventId": str(number)}
            await writer.record(IdentifiedEvent.model_validate(goal))
        await writer.enrich()
    postgres.close()
    await writer.cache.close()
    return writer.committed


class _Writer:
    def __init__(self, store: HighlightStore, cache: PageCache) -> None:
        self._store = store
        self.cache = cache
        self.committed: list[Commit] = []

    async def record(self, goal: IdentifiedEvent) -> None:
        nothing = ReceivedRecord(None, None, None)
        async with self.cache.change({goal.match_id}):
            self._note(await self._store.record([revision_of(goal, nothing, RULES)]))
        await asyncio.sleep(PAUSE_S)

    async def enrich(self) -> None:
        for claim in await self._store.claim(limit=MATCHES, lease_s=LEASE_S):
            text = await Reviewer(TemplateEnricher()).review(claim.facts)
            async with self.cache.change({claim.match_id}):
                self._note(await self._store.finish([(claim, text)]))
            await asyncio.sleep(PAUSE_S)

    def _note(self, changed: Sequence[ChangedHighlight]) -> None:
        now = time.perf_counter()
        self.committed += [Commit((str(each.id), each.status.value), now) for each in changed]
