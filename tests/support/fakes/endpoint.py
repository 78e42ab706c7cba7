"""An endpoint of an enricher, as good or as bad as a test wants, and the worker that calls it."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from functions.consume_goal.revisions import revision_of
from functions.enrich_batch.enricher import Draft, EnrichmentTask, Refusal, Style
from functions.enrich_batch.queue.protected_enricher import ProtectedEnricher
from functions.enrich_batch.queue.results import EnrichmentCounts
from functions.enrich_batch.queue.worker import EnrichmentWorker
from functions.enrich_batch.review import Guard, Reviewer
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.shared.contract.highlight import Facts, HighlightText, Status
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.settings.load import load
from tests.support.builders.events import MATCH, identified
from tests.support.builders.revisions import RULES
from tests.support.fakes.services import FakeCache, FakeStore, Row

TOKENS = 7


class FakeEndpoint:
    """An enricher by a model; `behave` may raise, or return what to wait for, before it answers."""

    def __init__(self) -> None:
        self.tasks: list[EnrichmentTask] = []
        self.running = 0
        self.max_running = 0
        self.title = "Model on {}"
        self.behave: Callable[[EnrichmentTask], Any] = lambda _: None

    async def enrich(self, task: EnrichmentTask) -> Draft:
        """Return a text whose title has the player's name."""
        self.tasks.append(task)
        self.running += 1
        self.max_running = max(self.max_running, self.running)
        try:
            await asyncio.sleep(0)
            if (waiting := self.behave(task)) is not None:
                await waiting
        finally:
            self.running -= 1
        text = HighlightText(self.title.format(task.facts.player), "A goal.")
        return Draft({"en": text}, "model:fake", tokens=TOKENS)


def no_rumours(
    text: HighlightText, facts: Facts, language: str, style: Style, *, allow_description: bool
) -> Sequence[Refusal]:
    """A guard that refuses one word."""
    del facts, language, style, allow_description
    return [Refusal("rumour", "rumour")] if "rumour" in f"{text.title} {text.summary}" else []


class EndpointHarness:
    """A queue, an endpoint, and a worker whose time is the store's; chance has a seed."""

    def __init__(self, **settings: str) -> None:
        self.store = FakeStore()
        self.cache = FakeCache()
        self.endpoint = FakeEndpoint()
        self.guard: Guard = no_rumours
        self.settings = load(EnrichBatchSettings, {"DATABASE_URL": "postgresql://", **settings})
        self.worker = self.start_worker()

    def start_worker(self) -> EnrichmentWorker:
        """Return a worker as a new process has it."""
        clock, uniform = lambda: self.store.now, random.Random(7).uniform
        protected = ProtectedEnricher(self.endpoint, self.settings, clock, uniform)
        reviewer = Reviewer(TemplateEnricher(), protected, guard=self.guard)
        return EnrichmentWorker(
            self.store,
            self.cache,
            reviewer,
            self.settings,
            protected,
            clock=clock,
            uniform=uniform,
        )

    async def record(self, *players: str, match_id: UUID = MATCH, **event: Any) -> list[UUID]:
        """Record a goal of each of these players; return the highlights' ids."""
        rows = [
            revision_of(
                identified(
                    **{"matchId": str(match_id), "eventId": f"{at}", "player": player, **event}
                ),
                ReceivedRecord(None, None, None),
                RULES,
            )
            for at, player in enumerate(players, len(self.store.rows))
        ]
        return [change.id for change in await self.store.record(rows)]

    def goals(self, *players: str) -> list[UUID]:
        """Record a goal of each of these players; return the highlights' ids."""
        return asyncio.run(self.record(*players))

    def run(self) -> EnrichmentCounts:
        """Run the worker once, as a request does."""
        return asyncio.run(self.worker.run())

    def run_for(self, seconds: float, every_s: float = 5) -> list[EnrichmentCounts]:
        """Run the worker as cron does, for a time."""
        ends, counts = self.store.now + seconds, []
        while self.store.now < ends:
            counts.append(self.run())
            self.store.now += every_s
        return counts

    def rows(self, ids: Sequence[UUID]) -> list[Row]:
        """The rows of these highlights."""
        return [self.store.rows[id_] for id_ in ids]

    def written_by(self, ids: Sequence[UUID]) -> set[str | None]:
        """Who wrote the texts of these highlights, all of which are READY."""
        assert {row["status"] for row in self.rows(ids)} == {Status.READY}
        return {row["enrichedBy"] for row in self.rows(ids)}
