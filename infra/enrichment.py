"""`python -m infra.enrichment`: commands for the operator of the enrichment queue at DATABASE_URL.

`status` counts highlights, `failed` lists those whose enrichment has failed at every attempt, and
`retry` queues them again. Exits with 1 when that could not be done, and with 2 on a usage error.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from functions.shared.contract.highlight import SHOWN_STATUSES, Status
from functions.shared.errors import Unavailable
from functions.shared.postgres.change_sql import HELD_BACK_S
from functions.shared.postgres.highlight_sql import (
    COUNT_BY_ATTEMPTS,
    COUNT_BY_STATUS,
    COUNT_BY_WRITER,
    FAILED,
    RETRY,
)
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.page_cache import PageCache
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.load import load

TIMEOUT_S = 60.0  # a count of all highlights may take longer than the time-out of a function
BATCH_SIZE = 500  # highlights of one statement
LOWEST_ID = UUID(int=0)


class EnrichmentSettings(PostgresSettings, RedisSettings):
    """The database, and the cache whose lists a change invalidates."""


@dataclass(frozen=True, slots=True)
class FailedHighlight:
    """A highlight that is FAILED_AI, and since when."""

    id: UUID
    match_id: UUID
    event_id: str
    attempts: int
    since: datetime

    def __str__(self) -> str:
        since = self.since.astimezone(UTC).isoformat(timespec="seconds")
        event = json.dumps(self.event_id)  # it may have control characters
        return f"{self.id}  {self.match_id}  {self.attempts:8}  {since}  {event}"


HEADING = f"{'id':36}  {'matchId':36}  attempts  {'since':25}  eventId"


class Enrichment:
    """The enrichment queue; its commands print to standard output."""

    def __init__(self, postgres: Postgres, cache: PageCache, ttl_s: int) -> None:
        self._postgres = postgres
        self._cache = cache
        self._ttl_s = ttl_s

    async def status(self) -> None:
        """Print the number of highlights in each status, who wrote, and two ages.

        They are those of the pending ones, and of an open transaction that holds back the feed.
        """
        counts = dict(await self._postgres.run(COUNT_BY_STATUS))
        for status in SHOWN_STATUSES:
            _print(f"{status:10}  {counts.get(status, 0)}")
            if status is Status.PENDING_AI:
                for attempts, count, oldest_s in await self._postgres.run(COUNT_BY_ATTEMPTS):
                    _print(f"  after {attempts} attempts: {count}, the oldest for {oldest_s:.0f} s")
            if status is Status.READY:
                for writer, count, provisional in await self._postgres.run(COUNT_BY_WRITER):
                    more = f", {provisional} until the endpoint is back" if provisional else ""
                    _print(f"  by {writer}: {count}{more}")
        ((held_back_s,),) = await self._postgres.run(HELD_BACK_S)
        if held_back_s and held_back_s >= 1:
            _print(f"changes are held back by an open transaction: {held_back_s:.0f} s")

    async def failed(self, ids: Sequence[UUID], match_id: UUID | None) -> None:
        """Print the highlights that are FAILED_AI: of these ids, of this match, or all."""
        _print(HEADING)
        async for page in self._pages(ids, match_id):
            for each in page:
                _print(str(each))

    async def retry(self, ids: Sequence[UUID], match_id: UUID | None, *, dry_run: bool) -> None:
        """Set highlights that are FAILED_AI to PENDING_AI again, and print them.

        Raises:
            SystemExit: one of `ids` is not FAILED_AI.
        """
        done: set[UUID] = set()
        async for page in self._pages(ids, match_id):
            changed = {each.id for each in page} if dry_run else await self._retry(page)
            for each in (each for each in page if each.id in changed):
                _print(f"{'would be' if dry_run else 'is'} tried again: {each.id} {each.match_id}")
            done |= changed
        _print(f"{len(done)} {'would be' if dry_run else 'are'} PENDING_AI again")
        if done and not dry_run:
            await self._warn_of_cache()
        if others := set(ids) - done:
            sys.exit("\n".join(f"{each} is not FAILED_AI, or not there" for each in others))

    async def _retry(self, page: Sequence[FailedHighlight]) -> set[UUID]:
        async with self._cache.change({each.match_id for each in page}):
            rows = await self._postgres.run(RETRY, ids=[each.id for each in page])
        return {id_ for id_, _ in rows}

    async def _warn_of_cache(self) -> None:
        try:
            await self._cache.ready()
        except Unavailable as error:
            sys.stderr.write(
                f"{error} A cached list may show the old status for {self._ttl_s} s.\n"
            )

    async def _pages(
        self, ids: Sequence[UUID], match_id: UUID | None
    ) -> AsyncIterator[list[FailedHighlight]]:
        """Yield the highlights that are FAILED_AI, of these ids, of this match, or all, by id."""
        selected: Sequence[UUID | None] = ids or [None]
        for id_ in selected:
            after = LOWEST_ID
            while rows := await self._postgres.run(
                FAILED, id=id_, match_id=match_id, after=after, limit=BATCH_SIZE
            ):
                yield [FailedHighlight(*row) for row in rows]
                after = rows[-1][0]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments of the command; exits with 2 on a usage error."""
    parser = argparse.ArgumentParser(prog="python -m infra.enrichment", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("status", help="count the highlights in each status")
    failed = commands.add_parser("failed", help="list the highlights that are FAILED_AI")
    retry = commands.add_parser("retry", help="let highlights that are FAILED_AI be tried again")
    retry.add_argument("--dry-run", action="store_true", help="only say which")
    for command in (failed, retry):
        which = command.add_mutually_exclusive_group(required=command is retry)
        which.add_argument("--id", type=UUID, action="append", default=[], help="may be repeated")
        which.add_argument("--match", type=UUID, help="a matchId")
        which.add_argument("--all", action="store_true")
    return parser.parse_args(arguments)


async def run(arguments: argparse.Namespace, settings: EnrichmentSettings) -> None:
    """Run the command of the arguments.

    Raises:
        Unavailable: the database cannot be reached, or is not ready.
    """
    timeouts = {"database_timeout_s": TIMEOUT_S, "database_queue_timeout_s": TIMEOUT_S}
    postgres, cache = Postgres(settings.model_copy(update=timeouts)), PageCache(settings)
    enrichment = Enrichment(postgres, cache, settings.cache_ttl_s)
    try:
        if arguments.command == "status":
            await enrichment.status()
        elif arguments.command == "failed":
            await enrichment.failed(arguments.id, arguments.match)
        else:
            await enrichment.retry(arguments.id, arguments.match, dry_run=arguments.dry_run)
    finally:
        postgres.close()
        await cache.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parsed = parse(arguments)
    functions_log = logging.getLogger("functions")
    functions_log.setLevel(logging.CRITICAL)  # errors are printed
    try:
        asyncio.run(run(parsed, load(EnrichmentSettings)))
        sys.stdout.flush()
    except Unavailable as error:
        missing = getattr(error, "missing", "")
        sys.exit(f"{error}{f' Missing: {missing}.' if missing else ''}")
    except BrokenPipeError:  # the reader, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        functions_log.setLevel(logging.NOTSET)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
