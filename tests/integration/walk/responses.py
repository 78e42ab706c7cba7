"""The function's actions: what it accepts of a request, and its response."""

from collections.abc import Iterable

import orjson

from tests.integration.walk.history import Delivered, Responded
from tests.integration.walk.script import Action
from tests.support.servers.function_server import Reply

NONSENSE = b'{"batchItemFailures": ['
UNCLEAR = {
    Action.ACCEPT_AND_FAIL: Reply(500),
    Action.ACCEPT_AND_DROP: Reply(None),
    Action.ACCEPT_AND_SEND_NONSENSE: Reply(200, NONSENSE),
    Action.ACCEPT_TOO_LATE: Reply(200),
}
UNAVAILABLE = {
    Action.BUSY: Reply(429, b"", {"Retry-After": "1"}),
    Action.VERY_BUSY: Reply(429, b"", {"Retry-After": "3"}),
}


def respond(
    action: Action, delivery: Delivered, topic: str, poison: frozenset[int]
) -> tuple[Responded, Reply]:
    """Return what the function makes of a delivery, and its reply; `poison` are offsets."""
    number, every = delivery.delivery, frozenset(delivery.offsets)
    if action in UNAVAILABLE:
        return Responded(number), UNAVAILABLE[action]
    if action is Action.FAIL:
        return Responded(number, failed=every), Reply(500)
    if action in UNCLEAR:
        return Responded(number, every - poison, every, clear=False), UNCLEAR[action]
    failed = poison | frozenset(delivery.offsets[::3] if action is Action.NAME_FAILURES else ())
    if (
        poison and action is Action.ACCEPT and delivery.partition == 0
    ):  # the others name their poison
        return Responded(number, failed=every), Reply(422)
    topic_partition = f"{topic}-{delivery.partition}"
    return Responded(number, every - failed, failed), Reply(
        200, _named(topic_partition, failed, poison)
    )


def _named(topic_partition: str, failed: Iterable[int], poison: frozenset[int]) -> bytes:
    items = [
        {
            "itemIdentifier": {"partition": topic_partition, "offset": offset},
            "retryable": offset not in poison,
        }
        for offset in sorted(failed)
    ]
    return orjson.dumps({"batchItemFailures": items})
