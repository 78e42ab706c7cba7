"""Concurrent writers and readers, and the reads that show less than their reader has seen."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, takewhile
from random import Random
from uuid import UUID, uuid4

import orjson

from functions.list_highlights.query import parse_query
from functions.shared.http.languages import Language
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.settings import RedisSettings
from tests.integration.backwards.instance import Instance
from tests.support.builders.events import event_json, id_of

INSTANCES, READERS, WRITERS = 3, 16, 4
MATCHES, GOALS = 3, 4  # few, so that everybody meets
GETS = 0.3  # of a reader's reads; the rest are lists
WRITE_EVERY_S = 0.01  # so that pages are cached in between
EVENT_IDS = tuple(f"goal-{number}" for number in range(GOALS))
POOL_SIZE = 8
LANGUAGES = (Language("en"), Language("de"))  # each has pages of its own


@dataclass
class Reader:
    """The highest revision of each highlight that one reader has seen."""

    name: int
    seen: dict[UUID, int] = field(default_factory=dict)

    def backwards(self, shown: Mapping[UUID, int], where: str) -> Iterator[str]:
        """Take note of what was shown; return what was older than seen before."""
        for id_, revision in shown.items():
            if revision < self.seen.get(id_, 0):
                yield f"reader {self.name}: {where} shows {id_} in {revision}, not {self.seen[id_]}"
            self.seen[id_] = max(revision, self.seen.get(id_, 0))


class Checker:
    """Runs writers and readers in several instances until so many reads have been made."""

    def __init__(
        self,
        postgres: PostgresSettings,
        redis: RedisSettings,
        seed: int,
        disturb: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.wrong: list[str] = []
        self.counts: Counter[str] = Counter()
        self._settings = postgres.model_copy(update={"database_pool_size": POOL_SIZE}), redis
        self._random = Random(seed)
        self._disturb = disturb
        self._revisions = count(1)
        self._matches = [uuid4() for _ in range(MATCHES)]

    async def run(self, operations: int) -> None:
        """Run until so many reads and writes have been made, or one was wrong."""
        postgres_settings, redis_settings = self._settings
        postgres = Postgres(postgres_settings)
        instances = [Instance(postgres, redis_settings, self._random) for _ in range(INSTANCES)]
        try:
            for match_id in self._matches:
                await self._write(instances[0], match_id, EVENT_IDS)
            numbers = takewhile(lambda _: not self.wrong, range(operations))
            async with asyncio.TaskGroup() as tasks:
                for name in range(READERS):
                    tasks.create_task(self._keep_reading(Reader(name), instances, numbers))
                for _ in range(WRITERS):
                    tasks.create_task(self._keep_writing(instances, numbers))
        finally:
            for instance in instances:
                await instance.cache.close()
            postgres.close()
            await asyncio.sleep(0.01)  # transports are closed in the loop's next rounds

    async def _keep_reading(
        self, reader: Reader, instances: Sequence[Instance], numbers: Iterator[int]
    ) -> None:
        for number in numbers:
            self._disturb(number)
            instance, match_id = self._random.choice(instances), self._random.choice(self._matches)
            kind = "get" if self._random.random() < GETS else "list"
            read = self._get if kind == "get" else self._list
            shown = await read(instance, match_id)
            self.counts[kind] += 1
            self.wrong += reader.backwards(shown, f"{kind} {number}")

    async def _keep_writing(self, instances: Sequence[Instance], numbers: Iterator[int]) -> None:
        for number in numbers:
            self._disturb(number)
            events = self._random.sample(EVENT_IDS, self._random.randint(1, 2))
            await self._write(
                self._random.choice(instances), self._random.choice(self._matches), events
            )
            self.counts["write"] += 1
            await asyncio.sleep(self._random.uniform(0, 2 * WRITE_EVERY_S))

    async def _write(self, instance: Instance, match_id: UUID, event_ids: Sequence[str]) -> None:
        revision = next(self._revisions)
        events = [
            event_json(matchId=str(match_id), eventId=event_id, revision=revision)
            for event_id in event_ids
        ]
        records = [ReceivedRecord(event, None, None) for event in events]
        assert not await instance.consumer.consume(records)

    async def _list(self, instance: Instance, match_id: UUID) -> dict[UUID, int]:
        language = self._random.choice(LANGUAGES)
        page = await instance.pages.read(parse_query(f"matchId={match_id}"), language)
        self.counts[page.cache or ""] += 1
        shown = {UUID(each["id"]): each["revision"] for each in orjson.loads(page.body)}
        return {id_of(match_id, event_id): 0 for event_id in EVENT_IDS} | shown

    async def _get(self, instance: Instance, match_id: UUID) -> dict[UUID, int]:
        id_ = id_of(match_id, self._random.choice(EVENT_IDS))
        document = await instance.store.get(id_)
        return {id_: orjson.loads(document.json)["revision"] if document else 0}
