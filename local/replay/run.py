"""A replay from kick-off to the report: posts the goals, then reads the highlights back."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import httpx

from local.replay.highlights_client import Highlights
from local.replay.openfootball import Match
from local.replay.posting import Accepted, Feed, GaveUpError, OnRetry, RefusedError
from local.replay.read_back import follow, read_back
from local.replay.report import Report
from local.replay.schedule import Lane, plan

DEFAULT_SPEED = 900.0  # a quarter of an hour a second: a final with extra time takes 9 s
REQUESTS_AT_ONCE = 8
LOOPBACKS = ("localhost", "127.0.0.1", "::1")
REQUEST_TIMEOUT = 10.0  # seconds; longer than ingest-event waits for its broker


class ProxyError(Exception):
    """The environment names a proxy that cannot be used; the message says why, in one line."""


def _unheard(*_: object) -> None:
    """Nobody listens."""


async def replay(
    matches: Sequence[Match],
    *,
    events_url: str,
    highlights_url: str,
    speed: float = DEFAULT_SPEED,
    times: int = 1,
    shuffle: int | None = None,
    patience: float = 60,
    wait: float = 30,
    api_key: str | None = None,
    on_accepted: Callable[[Accepted], object] = _unheard,
    on_retry: OnRetry = _unheard,
    on_ready: Callable[[int, int], object] = _unheard,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Report:
    """Post every goal and kick of `matches` and wait until all of their highlights are READY.

    The matches kick off together, and `speed` is match time over real time (`math.inf`: as fast
    as answers come). Within a match a goal is posted once the one before it is accepted. Each is
    posted `times` times; with a seed in `shuffle` in a random order and without a clock. An event
    is tried again for `patience` seconds, and the reading back lasts up to `wait` seconds. Every
    request brings `api_key`.

    `on_accepted` hears each 202, `on_retry` an event, why it is tried again and after how many
    seconds, and `on_ready` how many highlights are READY, and of how many. Never raises for what
    a service does: that is in the report.
    """
    lanes = plan(matches, speed=speed, times=times, shuffle=shuffle)
    report = Report(list(dict.fromkeys(event for lane in lanes for _, event in lane)))
    slots = asyncio.Semaphore(REQUESTS_AT_ONCE)
    async with connect(events_url, highlights_url, transport=transport, api_key=api_key) as http:
        feed = Feed(http, events_url, patience, on_retry, slots, clock, sleep)
        poster = _Poster(feed, report, on_accepted, clock())
        highlights = Highlights(http, highlights_url, slots)
        async with asyncio.TaskGroup() as following:
            follower = following.create_task(follow(highlights, report, on_ready))
            async with asyncio.TaskGroup() as posting:
                for lane in lanes:
                    posting.create_task(poster.run(lane))
            follower.cancel()
        await read_back(highlights, report, wait=wait, on_ready=on_ready, clock=clock, sleep=sleep)
    return report


def connect(
    *urls: str, transport: httpx.AsyncBaseTransport | None = None, api_key: str | None = None
) -> httpx.AsyncClient:
    """Return a client for some URLs that keeps its connections, and asks no proxy for this machine.

    Raises:
        ProxyError: the environment's proxy, which the others take, is of a kind that httpx has not.
    """
    mounts = {f"all://{_bracketed(host)}": None for host in LOOPBACKS}
    try:
        return httpx.AsyncClient(
            transport=transport,
            timeout=REQUEST_TIMEOUT,
            headers={b"Authorization": f"Bearer {api_key}".encode()} if api_key else None,
            mounts=None if transport else mounts,
            trust_env=any(urlsplit(url).hostname not in LOOPBACKS for url in urls),
        )
    except (ImportError, ValueError) as error:
        raise ProxyError(f"the proxy that the environment names cannot be used: {error}") from None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class _Poster:
    """Posts lanes by one clock that began at `start`, and notes in `report` what comes of it."""

    def __init__(
        self,
        feed: Feed,
        report: Report,
        on_accepted: Callable[[Accepted], object],
        start: float,
    ) -> None:
        self._feed = feed
        self._report = report
        self._on_accepted = on_accepted
        self._start = start

    async def run(self, lane: Lane) -> None:
        """Post a lane in order; once an event is given up, the later ones of its lane are too."""
        for due, event in lane:
            await self._until(due)
            try:
                self._note(await self._feed.post(event))
            except RefusedError as error:
                self._report.problems[event] = str(error)
            except GaveUpError as error:
                self._report.problems[event] = f"gave up: {error}"
                return

    async def _until(self, due: float) -> None:
        delay = self._start + due - self._feed.clock()
        if delay > 0:
            await self._feed.sleep(delay)

    def _note(self, accepted: Accepted) -> None:
        if accepted.expected:
            self._report.accepted[accepted.event] = accepted.highlight_id
        else:
            self._report.passed_by.add(accepted.event)
        self._report.seconds.append(accepted.seconds)
        self._on_accepted(accepted)
