"""One stream with many clients, beside FastAPI with Redis pub/sub that sends the same data."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles
from uuid import uuid4

import orjson
from redis.asyncio import Redis

from local.stack.stack import Stack
from tests.benchmarks import peers, servers
from tests.benchmarks.ingest import alone
from tests.benchmarks.process_tree import cpu_s, resident
from tests.benchmarks.result import Result, at_most
from tests.benchmarks.servers import Server
from tests.benchmarks.stream.clients import Received, connected
from tests.benchmarks.stream.writer import PAUSE_S, Commit, Key, commits

CLIENTS = 1_000
IDLE_S = 10
P99_AIM_MS = 100
KIB = 2**10
PEER = "FastAPI, Redis pub/sub"

Write = Callable[[], Awaitable[list[Commit]]]


@dataclass(frozen=True)
class Figures:
    """What a server took: delays in ms, KiB and parts of a processor, µs for each event sent."""

    delays: Sequence[float]
    memory_kib: float
    idle: float
    event_us: float
    received: Received


def broadcast(stack: Stack, _rounds: int) -> Iterator[Result]:
    """1,000 clients, each of which gets every change of ten matches, in the order of commits.

    Raises:
        RuntimeError: a client missed a change, had one twice, or had them in another order.
    """
    channel = f"benchmark-{uuid4()}"
    with alone(stack):
        with servers.function(stack, "stream_highlights") as server:
            ours = asyncio.run(_measure(server, lambda: commits(stack)))
        data = ours.received.data
        with peers.stream(stack, channel) as server:
            peer = asyncio.run(_measure(server, lambda: _published(stack, channel, data)))
    yield from _results(ours, peer)


async def _measure(server: Server, write: Write) -> Figures:
    before = resident(server.process)
    with connected(f"{server.url}/highlights/stream", CLIENTS) as clients:
        memory = (resident(server.process) - before) / CLIENTS / KIB
        idle = await asyncio.to_thread(server.load, IDLE_S)
        before_s = cpu_s(server.process)
        committed = await write()
        received = await asyncio.to_thread(clients.receive, len(committed))
        took_s = cpu_s(server.process) - before_s
    require_all(received, [commit.key for commit in committed])
    delays = [
        (came - commit.at) * 1000
        for times in received.times
        for came, commit in zip(times, committed, strict=True)
    ]
    return Figures(delays, memory, idle, took_s / len(delays) * 1e6, received)


def require_all(received: Received, expected: Sequence[Key]) -> None:
    """Require that each client got every change, in the order of commits.

    Raises:
        RuntimeError: one did not.
    """
    keys = [key_of(data) for data in received.data]
    for numbers in received.numbers:
        if [keys[number] for number in numbers] != expected:
            raise RuntimeError(f"a client got {len(numbers)} of {len(expected)}, or out of order")


def key_of(data: str) -> Key:
    """Return which change an event tells of."""
    document = orjson.loads(data)
    return document["id"], document["status"]


async def _published(stack: Stack, channel: str, data: Sequence[str]) -> list[Commit]:
    """Publish the same data at the same pace; that is when the peer's changes are committed."""
    published = []
    async with Redis.from_url(stack.redis_url) as redis:
        for document in data:
            published.append(Commit(key_of(document), time.perf_counter()))
            await redis.publish(channel, document)
            await asyncio.sleep(PAUSE_S)
    return published


def _results(ours: Figures, peer: Figures) -> Iterator[Result]:
    what = f"stream, {CLIENTS:,} clients, {1 / PAUSE_S:.0f} changes/s"
    (median, p99), (its_median, its_p99) = (
        (cuts[49], cuts[98]) for cuts in (quantiles(each.delays, n=100) for each in (ours, peer))
    )
    yield Result(
        f"{what}: commit → client, median",
        f"{median:.0f} ms",
        f"{its_median:.0f} ms, {PEER}",
        f"{median / its_median:.2f} ×",
        "",
        True,
    )
    yield Result(
        f"{what}: commit → client, 99th percentile",
        f"{p99:.0f} ms",
        f"{its_p99:.0f} ms, {PEER}",
        f"{p99 / its_p99:.2f} ×",
        f"≤ {P99_AIM_MS} ms",
        p99 <= P99_AIM_MS,
    )
    for name, unit, mine, its in (
        ("memory of a client", "KiB", ours.memory_kib, peer.memory_kib),
        ("CPU of an event sent", "µs", ours.event_us, peer.event_us),
    ):
        yield at_most(f"{what}: {name}", unit, [mine], [its], PEER)
    yield Result(
        f"{what}: CPU while nothing happens",
        f"{ours.idle:.1%} of one",
        f"{peer.idle:.1%}, {PEER}",
        "",
        "",
        True,
    )
    busiest = max(ours.received.busy, peer.received.busy)
    yield Result(f"{what}: CPU of the clients", "", "", f"{busiest:.0%} of one", "", True)
