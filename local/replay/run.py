"""A replay from kick-off to the report: posts the goals, then waits for their highlights."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from local.replay.highlights_client import HighlightsClient
from local.replay.openfootball import Match
from local.replay.polling import report_progress, wait_until_ready
from local.replay.posting import (
    Accepted,
    Clock,
    EventPoster,
    RefusedEventError,
    RetriesExhaustedError,
)
from local.replay.progress import Listener
from local.replay.report import Report
from local.replay.schedule import Lane, plan

DEFAULT_SPEED = 900.0  # a quarter of an hour a second: a final with extra time takes 9 s
CONCURRENT_REQUESTS = 8
LOOPBACKS = ("localhost", "127.0.0.1", "::1")
REQUEST_TIMEOUT_S = 10.0  # longer than ingest-event waits for its broker


class ProxyError(Exception):
    """The environment names a proxy that cannot be used; the message says why, in one line."""


@dataclass(frozen=True)
class Options:
    """Where to and how fast a replay posts.

    `speed` is match time over real time (`math.inf`: as fast as responses come). Each event is
    posted `times` times; with a seed in `shuffle` in a random order and without a match clock. An
    event is retried for `patience_s` seconds, and the highlights are waited for up to `wait_s`
    seconds. Every request is sent with `api_key`.
    """

    events_url: str
    highlights_url: str
    speed: float = DEFAULT_SPEED
    times: int = 1
    shuffle: int | None = None
    patience_s: float = 60
    wait_s: float = 30
    api_key: str | None = None


async def replay(
    matches: Sequence[Match],
    options: Options,
    listener: Listener | None = None,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Clock | None = None,
) -> Report:
    """Post every goal and kick of `matches`, and wait until all of their highlights are READY.

    The matches kick off together. Within a match a goal is posted once the one before it is
    accepted. Never raises for what a service does: that is in the report.
    """
    listener, clock = listener or Listener(), clock or Clock()
    lanes = plan(matches, speed=options.speed, times=options.times, shuffle=options.shuffle)
    report = Report(list(dict.fromkeys(event for lane in lanes for _, event in lane)))
    slots = asyncio.Semaphore(CONCURRENT_REQUESTS)
    events_url, highlights_url, api_key = (
        options.events_url,
        options.highlights_url,
        options.api_key,
    )
    async with connect(events_url, highlights_url, transport=transport, api_key=api_key) as http:
        poster = EventPoster(http, events_url, options.patience_s, listener.retrying, slots, clock)
        lane_poster = _LanePoster(poster, report, listener, clock)
        highlights = HighlightsClient(http, highlights_url, slots)
        async with asyncio.TaskGroup() as watching:
            progress = watching.create_task(report_progress(highlights, report, listener))
            async with asyncio.TaskGroup() as posting:
                for lane in lanes:
                    posting.create_task(lane_poster.run(lane))
            progress.cancel()
        await wait_until_ready(highlights, report, options.wait_s, listener, clock)
    return report


def connect(
    *urls: str, transport: httpx.AsyncBaseTransport | None = None, api_key: str | None = None
) -> httpx.AsyncClient:
    """Return a client for some URLs, which uses the environment's proxy but for this machine.

    Raises:
        ProxyError: httpx does not support the kind of that proxy.
    """
    mounts = {f"all://{_bracketed(host)}": None for host in LOOPBACKS}
    try:
        return httpx.AsyncClient(
            transport=transport,
            timeout=REQUEST_TIMEOUT_S,
            headers={b"Authorization": f"Bearer {api_key}".encode()} if api_key else None,
            mounts=None if transport else mounts,
            trust_env=any(urlsplit(url).hostname not in LOOPBACKS for url in urls),
        )
    except (ImportError, ValueError) as error:
        raise ProxyError(f"the proxy that the environment names cannot be used: {error}") from None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class _LanePoster:
    """Posts lanes, whose times count from its construction, and records the outcome in `report`."""

    def __init__(
        self, poster: EventPoster, report: Report, listener: Listener, clock: Clock
    ) -> None:
        self._poster = poster
        self._report = report
        self._listener = listener
        self._clock = clock
        self._start = clock.monotonic()

    async def run(self, lane: Lane) -> None:
        """Post a lane in order; if the retries of an event are exhausted, skip the later ones."""
        for due, event in lane:
            await self._wait_until(due)
            try:
                self._record(await self._poster.post(event))
            except RefusedEventError as error:
                self._report.problems[event] = str(error)
            except RetriesExhaustedError as error:
                self._report.problems[event] = f"gave up: {error}"
                return

    async def _wait_until(self, due: float) -> None:
        delay = self._start + due - self._clock.monotonic()
        if delay > 0:
            await self._clock.sleep(delay)

    def _record(self, accepted: Accepted) -> None:
        if accepted.expected:
            self._report.accepted[accepted.event] = accepted.highlight_id
        else:
            self._report.without_highlight.add(accepted.event)
        self._report.response_times_s.append(accepted.seconds)
        self._listener.accepted(accepted)
