"""What a request costs a function, and bodies as large as they may be."""

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
    """Return an answer, and the seconds of the processor that it took."""
    gc.collect()
    began = time.process_time()
    answer = ask()
    return answer, time.process_time() - began


def most_memory(ask: Callable[[], httpx.Response]) -> int:
    """Return the bytes that a request takes at its height."""
    tracemalloc.start()
    try:
        ask()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def filled(start: bytes, item: Callable[[int], bytes], end: bytes, limit: int) -> bytes:
    """Return as many items, with commas between, as make a body of this size."""
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
    """Return who posts events."""
    broker = FakePublisher()
    return Client(ingest_event(lambda: broker, RULES))


def trigger() -> Client:
    """Return who posts records."""
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
    """Return the answer to a body, in pieces of this size if it has one."""

    async def streamed() -> AsyncIterator[bytes]:
        for at in range(0, len(body), piece):
            yield body[at : at + piece]

    headers = {"Content-Type": content_type}
    return client.post(path, content=streamed() if piece else body, headers=headers)
