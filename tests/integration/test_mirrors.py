"""Who follows has exactly the table in the end, whatever dies and however often the line is cut."""

import asyncio
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, closing, suppress
from typing import Any

import orjson
import pytest

from functions.shared.contract.event import Event
from functions.shared.errors import Unavailable
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import load
from local.follow.responses import Highlight
from local.replay.arguments import SAMPLE
from local.replay.feed import events
from local.replay.openfootball import read
from local.replay.posting import Clock, EventPoster
from local.replay.run import connect
from local.stack.services import functions
from local.stack.stack import Stack
from tests.integration.test_late_commits import CHANGE, held_open
from tests.support.builders.events import MATCH, id_of, identified
from tests.support.drivers.mirror import Mirror, cut_off, following
from tests.support.drivers.table import Table
from tests.support.length import IS_LONG

MATCHES = None if IS_LONG else 8  # of 64
TIMES = 3
IN_THE_END_S = 60 if IS_LONG else 30
PATIENCE_S = 90
POLL_S = 0.5
KILLED = ("consume_goal", "stream_highlights", "postgres", "list_highlights")
KILLED_AT_LENGTH = (*functions.NAMES, "postgres", "valkey", "trigger", "gateway", "postgres")


def revisions(event: Event, chance: random.Random) -> Iterator[Event]:
    """Yield an event and up to three later revisions: corrected, retracted, and reinstated."""
    later: Sequence[dict[str, Any]] = (
        {},
        {"player": f"{event.player}, corrected"},
        {"retracted": True, "reason": "VAR: offside"},
        {"retracted": False, "reason": None},
    )
    for number in range(chance.randint(1, len(later))):
        event = event.model_copy(update={"revision": number, **later[number]})
        yield event


def postings(chance: random.Random) -> list[Event]:
    """Return all revisions of the goals of the matches, each several times, in a random order."""
    goals = [event for match in read(SAMPLE)[:MATCHES] for event in events(match)]
    posts = [each for goal in goals for each in revisions(goal, chance)] * TIMES
    chance.shuffle(posts)
    return posts


async def post(stack: Stack, posts: Iterable[Event]) -> None:
    """Post events, some at a time, until each is accepted."""
    async with connect(stack.events_url) as http:
        slots = asyncio.Semaphore(4)
        poster = EventPoster(http, stack.events_url, PATIENCE_S, lambda *_: None, slots, Clock())
        await asyncio.gather(*map(poster.post, posts))


async def shown(table: Table) -> dict[str, Highlight]:
    """Return all highlights of the table by id, as lists show them; none while Postgres is away."""
    postgres = Postgres(load(PostgresSettings, {"DATABASE_URL": table.url}))
    with suppress(Unavailable), closing(postgres):
        listed = (await HighlightStore(postgres).list({}, limit=100_000)).documents
        rows = [orjson.loads(document.json) for document in listed]
        return {row["id"]: row for row in rows if row["status"] != "IGNORED"}
    return {}


async def settled(
    table: Table, mirrors: Iterable[Mirror], posts: Iterable[Event]
) -> dict[str, Highlight]:
    """Wait until the table has the highest revisions of `posts`, and the mirrors all of its rows.

    Whoever lacks something after a while lacks it for good. Return the rows.
    """
    expected: dict[str, int] = {}
    for event in posts:
        id_ = str(id_of(event.match_id, str(event.event_id)))
        expected[id_] = max(event.revision, expected.get(id_, 0))
    rows: dict[str, Highlight] = {}

    def is_settled() -> bool:
        return (
            expected == {id_: row["revision"] for id_, row in rows.items()}
            and all(row["status"] != "PENDING_AI" for row in rows.values())
            and not any(mirror.lacks(rows) for mirror in mirrors)
        )

    with suppress(TimeoutError):
        async with asyncio.timeout(IN_THE_END_S):
            while not is_settled():
                await asyncio.sleep(0.1)
                rows = await shown(table)
    assert expected == {id_: row["revision"] for id_, row in rows.items()}
    return rows


@pytest.fixture
def mirrors(stack: Stack) -> Iterator[dict[str, Mirror]]:
    """Mirrors by the feed and by the stream, from the beginning and from a page."""
    with ExitStack() as exits:
        relays = [exits.enter_context(cut_off(stack.highlights_url, seed)) for seed in range(4)]
        yield {
            "feed": Mirror(relays[0], poll_s=POLL_S),
            "stream": Mirror(relays[1]),
            "feed after a page": Mirror(relays[2], cursor=None, poll_s=POLL_S),
            "stream after a page": Mirror(relays[3], cursor=None),
        }


def test_mirrors_equal_the_table_whatever_dies(
    stack: Stack, table: Table, mirrors: dict[str, Mirror]
) -> None:
    """From the beginning, and from a page that is read while events are processed and things die.

    No mirror is told that a highlight went back, or the same state twice without a cut.
    """
    chance = random.Random(2022)
    posts = postings(chance)
    killed = list(KILLED_AT_LENGTH if IS_LONG else KILLED)
    chance.shuffle(killed)
    # Each is the last record of its match: when there is its highlight, all others are processed.
    last = [
        identified(matchId=str(match_id), eventId="last")
        for match_id in dict.fromkeys(event.match_id for event in posts)
    ]
    slices = [posts[number :: len(killed)] for number in range(len(killed))]

    async def scenario() -> dict[str, Highlight]:
        async with AsyncExitStack() as exits:
            at_first = [mirror for name, mirror in mirrors.items() if "page" not in name]
            await exits.enter_async_context(following(at_first))
            for number, name in enumerate(killed):
                killing = asyncio.to_thread(stack.processes[name].kill)
                await asyncio.gather(post(stack, slices[number]), killing)
                if number == 0:
                    later = [mirror for name, mirror in mirrors.items() if "page" in name]
                    await exits.enter_async_context(following(later))
            await post(stack, last)
            return await settled(table, mirrors.values(), [*posts, *last])

    rows = asyncio.run(scenario())
    assert {row["status"] for row in rows.values()} == {"READY", "RETRACTED"}
    for name, mirror in mirrors.items():
        assert mirror.lacks(rows) == {}, name
        assert mirror.rows.keys() <= rows.keys(), name
        assert mirror.faults == [], name
        assert mirror.resets == 0, name
        assert mirror.relay.cuts > 0, name


def test_what_a_transaction_holds_back_is_told_when_it_commits(
    stack: Stack, table: Table, mirrors: dict[str, Mirror]
) -> None:
    """What others have committed meanwhile waits for it; then mirrors are told both."""
    late, quick = identified(eventId="late"), identified(eventId="quick")
    corrected = quick.model_copy(update={"revision": 1, "player": "Messi"})
    followers = [mirrors["feed"], mirrors["stream"]]

    async def scenario() -> dict[str, Highlight]:
        async with following(followers):
            await post(stack, [late, quick])
            await settled(table, followers, [late, quick])
            with held_open(table, CHANGE.format("'Late'", "'late'")):
                await post(stack, [corrected])
                while (await shown(table))[str(id_of(MATCH, "quick"))]["revision"] == 0:
                    await asyncio.sleep(0.1)
                for mirror in followers:
                    assert {row["revision"] for row in mirror.rows.values()} == {0}
            return await settled(table, followers, [late, corrected])

    rows = asyncio.run(scenario())
    assert "Late" in {row["title"] for row in rows.values()}
    for mirror in followers:
        assert mirror.rows == rows
        assert mirror.faults == []
