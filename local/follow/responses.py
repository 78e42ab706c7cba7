"""What the responses of `/highlights` say to a follower."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from local.kafka_trigger.delivering.backoff import retry_after_s
from local.replay.posting import describe_refusal

RETRYABLE = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS})
NO_STREAM = frozenset({httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED})

Highlight = Mapping[str, Any]  # in the JSON of the REST API


class LineDownError(Exception):
    """The server cannot be followed for now; it asked for a wait of `retry_after_s` seconds."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class RefusedError(Exception):
    """A response that trying again would not change; the message is its reason."""


async def raise_for_status(response: httpx.Response, *, is_stream: bool = False) -> None:
    """Raise LineDownError or RefusedError unless the response is a success."""
    if response.is_success:
        return
    await response.aread()
    reason = describe_refusal(response)
    if response.is_server_error or response.status_code in RETRYABLE:
        header = response.headers.get("Retry-After")
        raise LineDownError(reason, retry_after_s(header, datetime.now(UTC)))
    if is_stream and response.status_code in NO_STREAM:
        reason += ": no stream is here, but --poll follows the changes"
    raise RefusedError(reason)


def highlights_of(response: httpx.Response) -> list[Highlight]:
    """Return the highlights of a list; raises RefusedError."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, list):
        raise RefusedError("200 without the JSON of highlights: is this GoalStream?")
    return body


def changes_cursor(response: httpx.Response) -> str:
    """Return the cursor of the changes since this response; raises RefusedError."""
    link = response.links.get("changes", {}).get("url", "")
    cursor: str | None = httpx.URL(link).params.get("changedSince")
    if not cursor:
        raise RefusedError("there is no link to the changes: is this GoalStream?")
    return cursor
