"""The history of a walk: facts in the order in which they were observed."""

from typing import NamedTuple


class Written(NamedTuple):
    """The broker has acknowledged a record."""

    partition: int
    offset: int


class Delivered(NamedTuple):
    """A request of an instance of the trigger has reached the function."""

    delivery: int
    instance: str
    partition: int
    offsets: tuple[int, ...]


class Responded(NamedTuple):
    """The function's result of a delivery, recorded before the response is sent.

    `accepted` are the records that it processed, `failed` those that may be given up for this
    response; `clear` if the response says so: it is in time, complete, well-formed and true.
    """

    delivery: int
    accepted: frozenset[int] = frozenset()
    failed: frozenset[int] = frozenset()
    clear: bool = True


class DeadLettered(NamedTuple):
    """A record was seen in the dead-letter topic."""

    partition: int
    offset: int


class Committed(NamedTuple):
    """The group's offset, as read from the broker, after the dead letters written before it."""

    partition: int
    offset: int


class Killed(NamedTuple):
    """An instance is about to get SIGKILL."""

    instance: str


class Restarted(NamedTuple):
    """The broker is about to be restarted."""


class Overrun(NamedTuple):
    """The trigger logged that a partition did not finish within `drain_s`; when, is unknown."""

    partition: int


Fact = Written | Delivered | Responded | DeadLettered | Committed | Killed | Restarted | Overrun


class History:
    """The facts; threads may add to it, since `append` is one step."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.add = self.facts.append

    def deliveries(self) -> int:
        """Return the number of deliveries."""
        return sum(isinstance(fact, Delivered) for fact in self.facts)

    def accepted_again(self) -> int:
        """Return how often a record was accepted that had been accepted before."""
        partitions = {
            fact.delivery: fact.partition for fact in self.facts if isinstance(fact, Delivered)
        }
        accepted = [
            (partitions[fact.delivery], offset)
            for fact in self.facts
            if isinstance(fact, Responded)
            for offset in fact.accepted
        ]
        return len(accepted) - len(set(accepted))
