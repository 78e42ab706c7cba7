"""Posts an event until it is accepted or refused, or its retries are exhausted."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import httpx

from functions.shared.contract.event import Event

INITIAL_DELAY_S, MAX_DELAY_S = 0.1, 5.0
RETRYABLE = frozenset({429, 502, 503, 504})


class RefusedEventError(Exception):
    """A response that a retry would not change; the message is its reason."""


class RetriesExhaustedError(Exception):
    """The event was not accepted in time; the message is the reason of the last attempt."""


class Clock:
    """The machine's clock; a test may have another one."""

    def monotonic(self) -> float:
        """Return the time in seconds, from an arbitrary start."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Accepted:
    """A 202: the event, the id of its highlight, and the seconds until the response.

    Of some events no highlight is `expected`: of most kicks of a shoot-out.
    """

    event: Event
    highlight_id: UUID
    seconds: float
    expected: bool = True


OnRetry = Callable[[Event, str, float], None]


@dataclass(frozen=True)
class EventPoster:
    """Posts events to `{url}/events`; retries one for `patience_s` seconds.

    A retry is harmless, since an event keeps its `eventId`. `on_retry` gets the event, the reason,
    and the seconds until the next attempt. `slots` limits the concurrent requests.
    """

    http: httpx.AsyncClient
    url: str
    patience_s: float
    on_retry: OnRetry
    slots: asyncio.Semaphore
    clock: Clock

    async def post(self, event: Event) -> Accepted:
        """Return the acceptance of an event.

        Raises:
            RefusedEventError: it is refused.
            RetriesExhaustedError: it was not accepted within `patience_s`.
        """
        deadline = self.clock.monotonic() + self.patience_s
        backoff_s = INITIAL_DELAY_S
        while True:
            outcome = await self._attempt(event)
            if isinstance(outcome, Accepted):
                return outcome
            reason, retry_after_s = outcome
            delay = max(backoff_s, retry_after_s)
            if self.clock.monotonic() + delay > deadline:
                raise RetriesExhaustedError(reason)
            self.on_retry(event, reason, delay)
            await self.clock.sleep(delay)
            backoff_s = min(2 * backoff_s, MAX_DELAY_S)

    async def _attempt(self, event: Event) -> Accepted | tuple[str, float]:
        """Return the acceptance, or the reason for a retry and the seconds of Retry-After."""
        async with self.slots:
            sent = self.clock.monotonic()
            try:
                response = await self.http.post(
                    f"{self.url}/events",
                    content=event.to_json(),
                    headers={"Content-Type": "application/json"},
                )
            except httpx.RequestError as error:
                return describe_error(error), 0
        if response.status_code == httpx.codes.ACCEPTED:
            return _accepted(event, response, self.clock.monotonic() - sent)
        if response.status_code in RETRYABLE:
            return describe_refusal(response), _retry_after_s(response)
        raise RefusedEventError(describe_refusal(response))


def describe_error(error: httpx.RequestError) -> str:
    """Return the message of a connection error, or its kind if it has none."""
    return str(error) or type(error).__name__


def describe_refusal(response: httpx.Response) -> str:
    """Return the status of a refusal with the detail and the errors of its problem details."""
    parts = [f"{response.status_code} {response.reason_phrase}".strip()]
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        parts += [str(body[key]) for key in ("detail", "errors") if body.get(key)]
    return ": ".join(parts)


def _accepted(event: Event, response: httpx.Response, seconds: float) -> Accepted:
    try:
        body = response.json()
        expected = body.get("highlight") != "none"
        return Accepted(event, UUID(body["highlightId"]), seconds, expected)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedEventError("202 without a highlightId: is this GoalStream?") from error


def _retry_after_s(response: httpx.Response) -> float:
    """Return the seconds of Retry-After; a date, which GoalStream never sends, counts as 0."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 0
