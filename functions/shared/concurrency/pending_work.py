"""Work that continues after a function has answered.

A host that freezes the process between calls waits for it first; a server need not.
"""

import asyncio

Work = asyncio.Future[None]

_pending: set[Work] = set()


def track() -> Work:
    """Return a future of the running loop that counts as pending work until it is done."""
    work: Work = asyncio.get_running_loop().create_future()
    _pending.add(work)
    work.add_done_callback(_pending.discard)
    return work


async def drain(timeout_s: float) -> None:
    """Wait until the running loop has no pending work, for `timeout_s` seconds at most."""
    loop = asyncio.get_running_loop()
    pending = {work for work in _pending if work.get_loop() is loop}
    if pending:
        await asyncio.wait(pending, timeout=timeout_s)
