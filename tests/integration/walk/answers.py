"""What each card of the script means for a request: what is done, and what is said of it."""

from collections.abc import Iterable

import orjson

from tests.integration.walk.history import Answered, Delivered
from tests.integration.walk.script import Does
from tests.support.servers.function_server import Reply

NONSENSE = b'{"batchItemFailures": ['
UNCLEAR = {
    Does.TAKE_AND_FAIL: Reply(500),
    Does.TAKE_AND_DROP: Reply(None),
    Does.TAKE_AND_BABBLE: Reply(200, NONSENSE),
    Does.TAKE_TOO_LATE: Reply(200),
}
AWAY = {
    Does.BUSY: Reply(429, b"", {"Retry-After": "1"}),
    Does.VERY_BUSY: Reply(429, b"", {"Retry-After": "3"}),
}


def answer(
    does: Does, delivery: Delivered, topic: str, poison: frozenset[int]
) -> tuple[Answered, Reply]:
    """What the function does with a delivery, and its reply; `poison` are offsets."""
    number, every = delivery.delivery, frozenset(delivery.offsets)
    if does in AWAY:
        return Answered(number), AWAY[does]
    if does is Does.FAIL:
        return Answered(number, failed=every), Reply(500)
    if does in UNCLEAR:
        return Answered(number, every - poison, every, clear=False), UNCLEAR[does]
    failed = poison | frozenset(delivery.offsets[::3] if does is Does.NAME else ())
    if poison and does is Does.TAKE and delivery.partition == 0:  # the others name their poison
        return Answered(number, failed=every), Reply(422)
    place = f"{topic}-{delivery.partition}"
    return Answered(number, every - failed, failed), Reply(200, _named(place, failed, poison))


def _named(place: str, failed: Iterable[int], poison: frozenset[int]) -> bytes:
    items = [
        {
            "itemIdentifier": {"partition": place, "offset": offset},
            "retryable": offset not in poison,
        }
        for offset in sorted(failed)
    ]
    return orjson.dumps({"batchItemFailures": items})
