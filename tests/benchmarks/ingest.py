"""ingest-event beside a bare function and beside what a user would write."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import httpx

from local.stack.stack import Stack
from tests.benchmarks import peers
from tests.benchmarks.http import SECONDS, Aims, Comparison
from tests.benchmarks.load import Load
from tests.benchmarks.result import Result, interleaved
from tests.benchmarks.servers import Server
from tests.benchmarks.trigger import topic as topics
from tests.support.builders.events import FIRST_GOAL
from tests.support.waiting import eventually

PEER, BARE = "FastAPI, aiokafka", "bare"
AIMS = {64: {}, 128: {PEER: Aims(rate=2.2), BARE: Aims(cpu=1.6)}}  # by connections
LONE_AIM_MS = 2
BATCH = 500
BATCH_CONNECTIONS = 4
BATCH_AIM = 20_000
TAKEN_WITHIN_S = 300  # hundreds of thousands, of one match and so of one partition
PASSES_BY = {**FIRST_GOAL, "eventType": "corner"}


def ingest_one(stack: Stack, rounds: int) -> Iterator[Result]:
    """One event a request; then one request at a time."""
    with alone(stack), _comparison(stack) as comparison:
        for connections, aims in AIMS.items():
            yield from comparison.results(rounds, connections, aims)
        lone = comparison.samples(rounds, 1)
    ours, peer, _ = (median(sample.latency_ms for sample in samples) for samples in lone)
    yield Result(
        "ingest-event, a lone request",
        f"{ours:.2f} ms",
        f"{peer:.2f} ms, {PEER}",
        f"{ours:.2f} ms",
        f"≤ {LONE_AIM_MS} ms",
        ours <= LONE_AIM_MS,
    )


def ingest_batch(stack: Stack, rounds: int) -> Iterator[Result]:
    """Batches of 500 events, in one process."""
    batch = json.dumps([PASSES_BY] * BATCH)
    url = stack.functions["ingest_event"].url
    with alone(stack):
        (outcomes,) = interleaved(
            rounds, Load(url, ("/events/batch",), BATCH_CONNECTIONS, SECONDS, batch).run
        )
    events = median(outcome.rate for outcome in outcomes) * BATCH
    yield Result(
        f"ingest-event, {BATCH} events a request",
        f"{events:,.0f} events/s",
        "",
        f"{events:,.0f} /s",
        f"≥ {BATCH_AIM:,} /s",
        events >= BATCH_AIM,
    )


@contextmanager
def alone(stack: Stack) -> Iterator[None]:
    """Stop the topic's consumers during the block, so that only ingest-event is measured."""
    for name in ("trigger", "cron"):
        stack.processes[name].stop()
    try:
        yield
    finally:
        for name in ("trigger", "cron"):
            stack.processes[name].start()
        _wait_until_taken(stack)


def _wait_until_taken(stack: Stack) -> None:
    """Wait for a last goal: events of one match stay in order, so all before it have arrived."""
    goal = httpx.post(f"{stack.events_url}/events", json=FIRST_GOAL).headers["Location"]
    eventually(
        lambda: httpx.get(f"{stack.highlights_url}{goal}").status_code == 200, TAKEN_WITHIN_S
    )


@contextmanager
def _comparison(stack: Stack) -> Iterator[Comparison]:
    ours = Server(stack.functions["ingest_event"].url, stack.processes["ingest_event"])
    answer = _accepted(ours)
    topic = topics.new(stack.kafka)  # which nobody takes events off
    with (
        peers.ingest(stack, topic) as peer,
        peers.bare(stack.state.root, status=202, body=answer.text) as bare,
    ):
        if _accepted(peer).json().keys() != answer.json().keys():
            raise RuntimeError("the peer answers something else")
        broker = stack.processes.get("broker")
        yield Comparison(
            "ingest-event",
            ours,
            {PEER: peer, BARE: bare},
            ("/events",),
            json.dumps(PASSES_BY),
            services=[broker] if broker else [],
            behind="broker",
        )


def _accepted(server: Server) -> httpx.Response:
    return httpx.post(f"{server.url}/events", json=PASSES_BY).raise_for_status()
