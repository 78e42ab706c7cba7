"""Loose ends: what an answer leaves under way.

A host that freezes the process between its calls waits for them first; a server need not.
"""

import asyncio

End = asyncio.Future[None]

_open: set[End] = set()


def track() -> End:
    """A new loose end of the running loop; it is tied when this future ends."""
    end: End = asyncio.get_running_loop().create_future()
    _open.add(end)
    end.add_done_callback(_open.discard)
    return end


async def drain(within_s: float) -> None:
    """Return when all loose ends of the running loop are tied, or the time is over."""
    loop = asyncio.get_running_loop()
    mine = {end for end in _open if end.get_loop() is loop}
    if mine:
        await asyncio.wait(mine, timeout=within_s)
