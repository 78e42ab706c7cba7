"""A copy of the highlights, kept by a client whose line is cut again and again."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

from local.follow.client import HighlightsFollower, Reset
from local.follow.responses import Highlight
from local.replay.run import connect
from tests.support.servers.relay import Relay

SPEED_UP = 30  # of the waits between two connections
CUT_AFTER = (200, 6_000)  # bytes of a connection's answers
STAGES = {"PENDING_AI": 0, "READY": 1, "FAILED_AI": 1, "RETRACTED": 2}

State = tuple[int, int, datetime]


def state_of(highlight: Highlight) -> State:
    """Return what only grows while a highlight changes: revision, stage of it, time of the change.

    Within a revision it is PENDING_AI, then READY or FAILED_AI, and at last RETRACTED.
    """
    return highlight["revision"], STAGES[highlight["status"]], changed_at(highlight)


def changed_at(highlight: Highlight) -> datetime:
    """Return when a highlight was changed."""
    return datetime.fromisoformat(highlight["updatedAt"])


class Mirror:
    """Follows highlights, by the stream, or by the change feed with `poll_s`.

    Without a cursor it begins with a page. `faults` are the changes that it should not have been
    told, with what it had before: those to an earlier state, and those to the same state while its
    line was not cut.
    """

    def __init__(
        self, relay: Relay, *, cursor: str | None = "0", poll_s: float | None = None
    ) -> None:
        self.rows: dict[str, Highlight] = {}
        self.faults: list[tuple[Highlight, Highlight]] = []
        self.began_at = datetime.max.replace(tzinfo=UTC)  # when it was told something first
        self.resets = 0
        self.relay = relay
        self._cursor = cursor
        self._poll_s = poll_s
        self._told_since_cut: set[str] = set()

    async def follow(self) -> None:
        """Follow without an end."""
        url = f"http://127.0.0.1:{self.relay.port}"
        async with connect(url) as http:
            follower = HighlightsFollower(
                http,
                url,
                {},
                cursor=self._cursor,
                poll_s=self._poll_s,
                on_state=self._on_state,
                sleep=_sleep,
            )
            async with aclosing(follower.changes()) as changes:
                async for change in changes:
                    self._take(change)

    def lacks(self, rows: Mapping[str, Highlight]) -> dict[str, Highlight]:
        """Return those rows that it has otherwise, or not though they changed after its beginning.

        One that began with the beginning, and not with a page, lacks each that it has not.
        """
        return {
            id_: row
            for id_, row in rows.items()
            if self.rows.get(id_) != row and (id_ in self.rows or self._must_have(row))
        }

    def _must_have(self, row: Highlight) -> bool:
        return self._cursor is not None or changed_at(row) > self.began_at

    def _take(self, change: Highlight | Reset) -> None:
        if isinstance(change, Reset):
            self.resets += 1
            self.rows.clear()
            return
        self.began_at = min(self.began_at, datetime.now(UTC))
        before = self.rows.get(change["id"])
        if before is not None:
            is_again = change == before and change["id"] in self._told_since_cut
            if state_of(change) < state_of(before) or is_again:
                self.faults.append((before, change))
        self.rows[change["id"]] = change
        self._told_since_cut.add(change["id"])

    def _on_state(self, text: str) -> None:
        if text != "live":
            self._told_since_cut.clear()


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds / SPEED_UP)


@contextmanager
def cut_off(url: str, seed: int) -> Iterator[Relay]:
    """Relay to a server; each connection is cut after a random number of bytes."""
    chance = random.Random(seed)
    port = urlsplit(url).port
    assert port
    with Relay(port, allowance=lambda: chance.randint(*CUT_AFTER)) as relay:
        yield relay


@asynccontextmanager
async def following(mirrors: Iterable[Mirror]) -> AsyncIterator[None]:
    """Let mirrors follow during `async with`."""
    tasks = [asyncio.create_task(mirror.follow()) for mirror in mirrors]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended
