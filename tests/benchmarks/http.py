"""What a function costs beside a bare one: requests a second, the same server, the same load."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from uuid import uuid4

import httpx

from local.embedded.stack import Stack
from tests.benchmarks.load import Load
from tests.benchmarks.peers import bare
from tests.benchmarks.result import Result, at_least, interleaved
from tests.events import FIRST_GOAL
from tests.waiting import eventually

CONNECTIONS = 64
SECONDS = 2.0
BATCH = 500
BATCH_CONNECTIONS = 4
BATCH_AIM = 20_000
GOALS_OF_A_MATCH = 7
PASSES_BY = {**FIRST_GOAL, "eventType": "corner"}


@contextmanager
def alone(stack: Stack) -> Iterator[None]:
    """Nobody takes events off the topic meanwhile: it is ingest-event alone that is measured."""
    for name in ("trigger", "cron"):
        stack.processes[name].stop()
    try:
        yield
    finally:
        for name in ("trigger", "cron"):
            stack.processes[name].start()
        _wait_until_taken(stack)


def _wait_until_taken(stack: Stack) -> None:
    """Events of one match stay in order: when a last goal has arrived, so have all before it."""
    goal = httpx.post(f"{stack.events_url}/events", json=FIRST_GOAL).headers["Location"]
    eventually(lambda: httpx.get(f"{stack.highlights_url}{goal}").status_code == 200)


def ingest_one(stack: Stack, rounds: int) -> Iterator[Result]:
    """One event a request, against a bare function that answers as many bytes."""
    url = f"{stack.functions['ingest_event'].url}/events"
    event = json.dumps(PASSES_BY)
    answer = httpx.post(url, json=PASSES_BY).text
    with alone(stack), bare(stack.state.root, status=202, body=answer) as peer_url:
        ours, peer = interleaved(
            rounds,
            Load(url, CONNECTIONS, SECONDS, event).run,
            Load(peer_url, CONNECTIONS, SECONDS, event).run,
        )
    yield at_least("ingest-event, one event a request", "requests/s", ours, peer, "bare", 0.6)


def ingest_batch(stack: Stack, rounds: int) -> Iterator[Result]:
    """Batches of 500 events, in one process."""
    url = f"{stack.functions['ingest_event'].url}/events/batch"
    batch = json.dumps([PASSES_BY] * BATCH)
    with alone(stack):
        (ours,) = interleaved(rounds, Load(url, BATCH_CONNECTIONS, SECONDS, batch).run)
    events = median(ours) * BATCH
    yield Result(
        f"ingest-event, {BATCH} events a request",
        f"{events:,.0f} events/s",
        "",
        f"{events:,.0f} /s",
        f"≥ {BATCH_AIM:,} /s",
        events >= BATCH_AIM,
    )


def cached_list(stack: Stack, rounds: int) -> Iterator[Result]:
    """The first page of a match from the cache, against a bare function with the same body."""
    match_id = str(uuid4())
    url = f"{stack.functions['list_highlights'].url}/highlights?matchId={match_id}"
    goals = [{**FIRST_GOAL, "matchId": match_id}] * GOALS_OF_A_MATCH
    httpx.post(f"{stack.events_url}/events/batch", json=goals).raise_for_status()
    eventually(lambda: httpx.get(url).text.count('"READY"') == GOALS_OF_A_MATCH)
    page = httpx.get(url).text
    with bare(stack.state.root, status=200, body=page) as peer_url:
        ours, peer = interleaved(
            rounds,
            Load(url, CONNECTIONS, SECONDS).run,
            Load(peer_url, CONNECTIONS, SECONDS).run,
        )
    yield at_least("list-highlights, cached", "requests/s", ours, peer, "bare, same body", 0.7)
