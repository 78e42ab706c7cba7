"""Measure a request's processor time and memory, and make bodies of the largest size allowed."""

import gc
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from itertools import count

import httpx

from functions.consume_goal.app import build_app as consume_goal
from functions.consume_goal.consume import EventConsumer
from functions.ingest_event.app import build_app as ingest_event
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeCache, FakePublisher, FakeStore

KIB, MIB = 1024, 1024 * 1024


def price(ask: Callable[[], httpx.Response]) -> tuple[httpx.Response, float]:
    """Return an answer, and the processor time that it took, in seconds."""
    gc.collect()
    began = time.process_time()
    answer = ask()
    return answer, time.process_time() - began


def most_memory(ask: Callable[[], httpx.Response]) -> int:
    """Return the peak memory of a request, in bytes."""
    tracemalloc.start()
    try:
        ask()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def filled(start: bytes, item: Callable[[int], bytes], end: bytes, limit: int) -> bytes:
    """Return as many comma-separated items as fit into a body of this size."""
    items: list[bytes] = []
    size = len(start) + len(end)
    for made in map(item, count()):
        size += len(made) + 1
        if size > limit:
            return start + b",".join(items) + end
        items.append(made)
    raise AssertionError("there is always one more")


def unknown_field(number: int) -> bytes:
    """Return a field that no event has."""
    return b'"%x":1' % number


def ingest() -> Client:
    """Return a client of ingest-event."""
    broker = FakePublisher()
    return Client(ingest_event(lambda: broker, RULES))


def trigger() -> Client:
    """Return a client of consume-goal, in the trigger's role."""
    consume = EventConsumer(FakeStore(), FakeCache(), FakePublisher(), RULES)
    return Client(consume_goal(lambda: consume))


def posted(
    client: Client,
    path: str,
    body: bytes,
    *,
    content_type: str = "application/json",
    piece: int = 0,
) -> httpx.Response:
    """Post a body, streamed in pieces of this size if one is given; return the answer."""

    async def streamed() -> AsyncIterator[bytes]:
        for at in range(0, len(body), piece):
            yield body[at : at + piece]

    headers = {"Content-Type": content_type}
    return client.post(path, content=streamed() if piece else body, headers=headers)
