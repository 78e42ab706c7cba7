"""What happened in a walk, fact by fact, in the order in which it was seen."""

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


class Answered(NamedTuple):
    """What the function made of a delivery, noted before the answer goes out.

    `taken` is the work that it did, `failed` is what may be given up for this answer; `clear`
    says whether the answer tells of the work: it is in time, whole, well-formed and true.
    """

    delivery: int
    taken: frozenset[int] = frozenset()
    failed: frozenset[int] = frozenset()
    clear: bool = True


class Buried(NamedTuple):
    """A record was seen in the dead-letter topic."""

    partition: int
    offset: int


class Committed(NamedTuple):
    """The group's offset, as the broker told it; what was buried before is noted before."""

    partition: int
    offset: int


class Killed(NamedTuple):
    """An instance is about to get SIGKILL."""

    instance: str


class Restarted(NamedTuple):
    """The broker is about to end and to be started again."""


class Overrun(NamedTuple):
    """The trigger says that a partition did not finish within `drain_s`; when, is not known."""

    partition: int


Fact = Written | Delivered | Answered | Buried | Committed | Killed | Restarted | Overrun


class History:
    """The facts; threads may add to it, since `append` is one step."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.add = self.facts.append

    def deliveries(self) -> int:
        """How many deliveries there were."""
        return sum(isinstance(fact, Delivered) for fact in self.facts)

    def taken_again(self) -> int:
        """How often a record was taken that had been taken before."""
        partitions = {
            fact.delivery: fact.partition for fact in self.facts if isinstance(fact, Delivered)
        }
        taken = [
            (partitions[fact.delivery], offset)
            for fact in self.facts
            if isinstance(fact, Answered)
            for offset in fact.taken
        ]
        return len(taken) - len(set(taken))
