"""Posts an event until it is accepted, refused for good, or patience is over."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import httpx

from functions.shared.contract.event import Event

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
WORTH_A_RETRY = frozenset({429, 502, 503, 504})


class RefusedError(Exception):
    """The answer is final, and it is no; the message is the answer's own reason."""


class GaveUpError(Exception):
    """The event was not accepted while patience lasted; the message is the last reason."""


@dataclass(frozen=True)
class Accepted:
    """A 202: the event, its highlight's id, and how many seconds the answer took.

    Of some events no highlight is `expected`: of the kicks of a shoot-out, mostly.
    """

    event: Event
    highlight_id: UUID
    seconds: float
    expected: bool = True


OnRetry = Callable[[Event, str, float], None]


@dataclass(frozen=True)
class Feed:
    """Posts events to `{url}/events`; `patience` is how many seconds one event may take.

    A retry is harmless, since an event keeps its `eventId`. `on_retry` hears the event, why, and
    the seconds until the next attempt. `slots` bounds how many requests are under way.
    """

    http: httpx.AsyncClient
    url: str
    patience: float
    on_retry: OnRetry
    slots: asyncio.Semaphore
    clock: Callable[[], float] = field(default=time.monotonic)
    sleep: Callable[[float], Awaitable[object]] = field(default=asyncio.sleep)

    async def post(self, event: Event) -> Accepted:
        """Return what was accepted, or raise RefusedError or GaveUpError."""
        deadline = self.clock() + self.patience
        pause = FIRST_PAUSE
        while True:
            outcome = await self._attempt(event)
            if isinstance(outcome, Accepted):
                return outcome
            why, asked = outcome
            delay = max(pause, asked)
            if self.clock() + delay > deadline:
                raise GaveUpError(why)
            self.on_retry(event, why, delay)
            await self.sleep(delay)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _attempt(self, event: Event) -> Accepted | tuple[str, float]:
        """Return what was accepted, or why to try again and the seconds the answer asks for."""
        async with self.slots:
            sent = self.clock()
            try:
                response = await self.http.post(
                    f"{self.url}/events",
                    content=event.to_json(),
                    headers={"Content-Type": "application/json"},
                )
            except httpx.RequestError as error:
                return reason(error), 0
        if response.status_code == httpx.codes.ACCEPTED:
            return _accepted(event, response, self.clock() - sent)
        if response.status_code in WORTH_A_RETRY:
            return problem(response), _retry_after(response)
        raise RefusedError(problem(response))


def reason(error: httpx.RequestError) -> str:
    """Return what went wrong on the way, named by its kind where it has no words of its own."""
    return str(error) or type(error).__name__


def problem(response: httpx.Response) -> str:
    """Return the status of a refusal with its problem's detail and the fields at fault."""
    said = [f"{response.status_code} {response.reason_phrase}".strip()]
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        said += [str(body[key]) for key in ("detail", "errors") if body.get(key)]
    return ": ".join(said)


def _accepted(event: Event, response: httpx.Response, seconds: float) -> Accepted:
    try:
        answer = response.json()
        expected = answer.get("highlight") != "none"
        return Accepted(event, UUID(answer["highlightId"]), seconds, expected)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError("202 without a highlightId: is this GoalStream?") from error


def _retry_after(response: httpx.Response) -> float:
    """Return the seconds of Retry-After; a date, which GoalStream never sends, counts as none."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdigit() else 0
