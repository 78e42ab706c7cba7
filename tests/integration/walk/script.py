"""The function's actions, one for each request: seeded, so that they can be repeated."""

from collections.abc import Iterator
from enum import Enum
from random import Random


class Action(Enum):
    """An action for one request."""

    ACCEPT = "accepts all but the poison"
    NAME_FAILURES = "names some as failed"
    FAIL = "answers 500"
    ACCEPT_AND_FAIL = "answers 500 though it accepted all"
    ACCEPT_AND_DROP = "drops the connection after it accepted all"
    ACCEPT_AND_SEND_NONSENSE = "answers nonsense though it accepted all"
    ACCEPT_TOO_LATE = "accepts all, but answers after the time-out"
    BUSY = "answers 429, Retry-After: 1"
    VERY_BUSY = "answers 429, Retry-After: 3"


DECK = (
    [Action.ACCEPT] * 24
    + [Action.NAME_FAILURES] * 4
    + [Action.FAIL] * 4
    + [Action.ACCEPT_AND_FAIL, Action.ACCEPT_AND_DROP, Action.ACCEPT_AND_SEND_NONSENSE] * 2
    + [Action.ACCEPT_TOO_LATE, Action.BUSY, Action.VERY_BUSY]
)


class Script:
    """The n-th request of a partition gets the n-th action of its deck; later ones no fault."""

    def __init__(self, seed: int, partitions: int) -> None:
        self._decks = [_shuffled(f"{seed}/{number}") for number in range(partitions)]

    def next(self, partition: int) -> Action:
        """Return the action for the next request."""
        return next(self._decks[partition], Action.ACCEPT)


class NoFaults(Script):
    """A function that accepts all."""

    def __init__(self) -> None:
        super().__init__(0, 0)

    def next(self, partition: int) -> Action:  # noqa: ARG002 (whichever it is)
        """Return that it accepts the request."""
        return Action.ACCEPT


def _shuffled(seed: str) -> Iterator[Action]:
    deck = DECK.copy()
    Random(seed).shuffle(deck)
    return iter(deck)
