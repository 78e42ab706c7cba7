"""What a function does with each request: seeded, so that it can be had again."""

from collections.abc import Iterator
from enum import Enum
from random import Random


class Does(Enum):
    """What the function does with one request."""

    TAKE = "takes all, but for the poison"
    NAME = "names some that are to come again"
    FAIL = "answers 500"
    TAKE_AND_FAIL = "answers 500 though it took all"
    TAKE_AND_DROP = "drops the connection after it took all"
    TAKE_AND_BABBLE = "answers nonsense though it took all"
    TAKE_TOO_LATE = "takes all, but answers when nobody listens any more"
    BUSY = "answers 429, Retry-After: 1"
    VERY_BUSY = "answers 429, Retry-After: 3"


DECK = (
    [Does.TAKE] * 24
    + [Does.NAME] * 4
    + [Does.FAIL] * 4
    + [Does.TAKE_AND_FAIL, Does.TAKE_AND_DROP, Does.TAKE_AND_BABBLE] * 2
    + [Does.TAKE_TOO_LATE, Does.BUSY, Does.VERY_BUSY]
)


class Script:
    """The n-th request of a partition meets the n-th card of its deck, and then no fault more."""

    def __init__(self, seed: int, partitions: int) -> None:
        self._decks = [_shuffled(f"{seed}/{number}") for number in range(partitions)]

    def next(self, partition: int) -> Does:
        """What becomes of the next request."""
        return next(self._decks[partition], Does.TAKE)


class NoFaults(Script):
    """A function that takes all."""

    def __init__(self) -> None:
        super().__init__(0, 0)

    def next(self, partition: int) -> Does:  # noqa: ARG002 (whichever it is)
        """It takes it."""
        return Does.TAKE


def _shuffled(seed: str) -> Iterator[Does]:
    deck = DECK.copy()
    Random(seed).shuffle(deck)
    return iter(deck)
