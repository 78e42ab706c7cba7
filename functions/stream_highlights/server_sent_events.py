"""Rendering of server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import random
import re
from typing import Final

RETRY_MS: Final = (1000, 4000)  # at random, so that clients do not all come back at once
COMMENT: Final = b":\n\n"
LINE_ENDS: Final = re.compile(r"[\r\n]+")


def render_event(name: str, data: str = "{}", event_id: object = None) -> bytes:
    """Return an event whose data is JSON.

    JSON may have line ends between its values, where a field is kept as it was sent: an event would
    end there.
    """
    head = f"event: {name}\n" if event_id is None else f"event: {name}\nid: {event_id}\n"
    return f"{head}data: {LINE_ENDS.sub(' ', data)}\n\n".encode()


def render_retry() -> bytes:
    """Return how long a client waits before it comes back, when its stream has ended."""
    return b"retry: %d\n\n" % random.randint(*RETRY_MS)  # noqa: S311 (it is no secret)
