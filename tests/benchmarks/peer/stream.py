"""GET /highlights/stream as a user would write it: FastAPI, a queue a client, Redis pub/sub.

It reads no table: what is published while a client is away is lost to it.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from redis.asyncio import Redis

HEARTBEAT_S = 15
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

queues: set[asyncio.Queue[bytes]] = set()


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with Redis.from_url(os.environ["REDIS_URL"]) as redis, redis.pubsub() as subscription:
        await subscription.subscribe(os.environ["CHANNEL"])
        broadcast = asyncio.create_task(_broadcast(subscription.listen()))
        yield
        broadcast.cancel()


async def _broadcast(messages: AsyncIterator[dict[str, bytes]]) -> None:
    number = 0
    async for message in messages:
        if message["type"] == "message":
            number += 1
            frame = b"event: highlight\nid: %d\ndata: %s\n\n" % (number, message["data"])
            for queue in queues:
                queue.put_nowait(frame)


app = FastAPI(lifespan=_lifespan)


@app.get("/health")
async def health() -> dict[str, str]:
    """Whether it is alive."""
    return {"status": "ok"}


@app.get("/highlights/stream")
async def stream() -> StreamingResponse:
    """All that is published from now on."""
    return StreamingResponse(_frames(), media_type="text/event-stream", headers=HEADERS)


async def _frames() -> AsyncIterator[bytes]:
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    queues.add(queue)
    try:
        yield b"event: ready\ndata: {}\n\n"
        while True:
            try:
                yield await asyncio.wait_for(queue.get(), HEARTBEAT_S)
            except TimeoutError:
                yield b":\n\n"
    finally:
        queues.discard(queue)
