"""GET /highlights/stream through the gateway."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.support.builders.events import event_json
from tests.support.drivers.containers import Containers


@contextmanager
def followed(containers: Containers, **headers: str) -> Iterator[Iterator[str]]:
    """Return the lines of a stream while they come."""
    url = f"{containers.highlights_url}/highlights/stream"
    with httpx.stream("GET", url, headers=headers, timeout=30, trust_env=False) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield answer.iter_lines()


def until(lines: Iterator[str], event: str) -> str:
    """Read up to an event of this name, and one line on; return its id if it has one."""
    assert f"event: {event}" in lines
    return next(lines).removeprefix("id: ")


def status(lines: Iterator[str]) -> str:
    """Return the status of the next highlight."""
    until(lines, "highlight")
    return str(json.loads(next(lines).removeprefix("data: "))["status"])


def test_a_goal_is_told_to_those_who_follow(containers: Containers, http: httpx.Client) -> None:
    """Until it is READY; a change that another soon follows may be left out."""
    with followed(containers) as lines:
        until(lines, "ready")
        http.post(f"{containers.events_url}/events", json=event_json(eventId="followed"))
        while status(lines) != "READY":
            pass


def test_a_function_that_stops_ends_its_streams_and_the_next_one_goes_on(
    containers: Containers, http: httpx.Client
) -> None:
    """With what has changed meanwhile; the container ends by itself."""
    with followed(containers) as lines:
        last = until(lines, "ready")
        containers.stop("stream-highlights")
        until(lines, "end")
    http.post(f"{containers.events_url}/events", json=event_json(eventId="meanwhile"))
    with followed(containers, **{"Last-Event-ID": last}) as lines:
        assert status(lines) in ("PENDING_AI", "READY")
