"""A client that follows the highlights and misses no change of them.

It reads a page of highlights, takes the cursor of that moment from its `Link`, and goes on from
there by the stream of server-sent events, or by the change feed where a cloud cannot stream. The
cursor moves on only once a change is handled: whatever breaks meanwhile, nothing is missed.
"""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

import httpx
from httpx_sse import ServerSentEvent, SSEError, aconnect_sse

from local.follow.responses import (
    Highlight,
    LineDownError,
    RefusedError,
    changes_cursor,
    highlights_of,
    raise_for_status,
)
from local.kafka_trigger.delivering.backoff import full_jitter
from local.replay.posting import describe_error

PAGE_SIZE = 20
INITIAL_DELAY_S, MAX_DELAY_S = 1.0, 30.0
STREAM_TIMEOUT = httpx.Timeout(10.0, read=35.0)  # a stream says something every 15 s


@dataclass(frozen=True)
class Reset:
    """The server knows the cursor no more: forget all highlights, they are told anew."""


Changes = AsyncGenerator[Highlight | Reset, None]


class HighlightsFollower:
    """Follows `{url}/highlights`, of which `filters` are query parameters.

    With `poll_s` it asks the change feed every so many seconds, instead of the stream. `cursor` is
    where to go on from, in another process too: all changes before it have been handled. None
    stands for a page with the latest highlights. `on_state` is told when the line is down or live.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        filters: Mapping[str, str],
        *,
        cursor: str | None = None,
        poll_s: float | None = None,
        on_state: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.cursor = cursor
        self._beginning = None if cursor is None else "0"
        self._http = http
        self._url = f"{url}/highlights"
        self._filters = dict(filters)
        self._poll_s = poll_s
        self._on_state = on_state
        self._sleep = sleep
        self._is_live = False
        self._failures = 0
        self._initial_delay_s = INITIAL_DELAY_S

    async def changes(self) -> Changes:
        """Yield each changed highlight as it is now, without an end.

        A change counts as handled when the next one is asked for. One that was told shortly before
        the line broke may be told again, in the same state or a later one.

        Raises:
            RefusedError: the server refuses the request, or is no GoalStream.
        """
        while True:
            try:
                async with aclosing(self._read()) as changes:
                    async for change in changes:
                        yield change
            except httpx.RequestError as error:
                await self._wait(LineDownError(describe_error(error)))
            except LineDownError as error:
                await self._wait(error)

    def _read(self) -> Changes:
        if self.cursor is None:
            return self._page()
        if self._poll_s is None:
            return self._stream(self.cursor)
        return self._feed(self.cursor, self._poll_s)

    async def _page(self) -> Changes:
        """Yield the latest highlights, the newest last."""
        response = await self._get({"pageSize": str(PAGE_SIZE)})
        await raise_for_status(response)
        for highlight in reversed(highlights_of(response)):
            yield highlight
        self.cursor = changes_cursor(response)

    async def _stream(self, cursor: str) -> Changes:
        """Yield what the stream tells from a cursor on, until it breaks or is reset."""
        params, url = {**self._filters, "lastEventId": cursor}, f"{self._url}/stream"
        async with aconnect_sse(
            self._http, "GET", url, params=params, timeout=STREAM_TIMEOUT
        ) as source:
            await raise_for_status(source.response, is_stream=True)
            try:
                async for event in source.aiter_sse():
                    self._heard(event)
                    if event.event == "highlight":
                        yield json.loads(event.data)
                    elif event.event == "reset":
                        yield self._reset()
                        return
                    self.cursor = event.id or self.cursor
            except SSEError as error:
                raise RefusedError(f"{error}: is this GoalStream?") from error
        raise LineDownError("the stream ended")

    def _heard(self, event: ServerSentEvent) -> None:
        self._failures = 0
        if event.retry is not None:
            self._initial_delay_s = event.retry / 1000
        if event.event == "ready":
            self._live()
        elif event.event == "end":
            raise LineDownError(f"the server ended the stream: {event.json().get('reason')}")

    async def _feed(self, cursor: str, poll_s: float) -> Changes:
        """Yield a page of the change feed, and wait a while if it is the last one."""
        response = await self._get({"changedSince": cursor})
        if response.status_code == httpx.codes.GONE:
            yield self._reset()
            return
        await raise_for_status(response)
        for highlight in highlights_of(response):
            yield highlight
        self._failures = 0
        self.cursor = changes_cursor(response)
        if "next" not in response.links:
            self._live()
            await self._sleep(poll_s * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret

    async def _get(self, params: Mapping[str, str]) -> httpx.Response:
        return await self._http.get(self._url, params={**self._filters, **params})

    def _reset(self) -> Reset:
        self._on_state("the server knows the cursor no more, beginning again")
        self.cursor = self._beginning
        return Reset()

    def _live(self) -> None:
        if not self._is_live:
            self._is_live = True
            self._on_state("live")

    async def _wait(self, error: LineDownError) -> None:
        self._is_live = False
        self._failures += 1
        jitter_s = full_jitter(self._failures, self._initial_delay_s, MAX_DELAY_S)
        delay_s = error.retry_after_s + jitter_s
        self._on_state(f"line down ({error}), trying again in {delay_s:.1f} s")
        await self._sleep(delay_s)
