"""The rules that every history of a trigger keeps, under any faults.

A record is *settled* when the function has acknowledged it, or when it is a dead letter.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from tests.integration.walk.history import (
    Committed,
    DeadLettered,
    Delivered,
    Fact,
    Responded,
    Written,
)
from tests.integration.walk.repeats import nothing_is_repeated_without_cause

Rule = Callable[[Sequence[Fact]], Iterator[str]]


def violations(facts: Sequence[Fact]) -> list[str]:
    """Return the violations in a history, each with the name of its rule."""
    return [f"{rule.__name__}: {what}" for rule in RULES for what in rule(facts)]


def nothing_is_lost(facts: Sequence[Fact]) -> Iterator[str]:
    """Every record was accepted, or is in the dead-letter topic."""
    done = _accepted(facts) | _dead_lettered(facts)
    for fact in facts:
        if isinstance(fact, Written) and fact not in done:
            yield f"{fact}"


def all_is_committed_in_the_end(facts: Sequence[Fact]) -> Iterator[str]:
    """The last offset that was committed is the one after the last record."""
    ends = {fact.partition: fact.offset + 1 for fact in facts if isinstance(fact, Written)}
    last = {fact.partition: fact.offset for fact in facts if isinstance(fact, Committed)}
    for partition, end in ends.items():
        if last.get(partition) != end:
            yield f"partition {partition} ends at {end}, committed is {last.get(partition)}"


def commits_never_go_back(facts: Sequence[Fact]) -> Iterator[str]:
    """A group's offset only grows."""
    last: dict[int, int] = defaultdict(int)
    for fact in facts:
        if isinstance(fact, Committed):
            if fact.offset < last[fact.partition]:
                yield f"{fact} after {last[fact.partition]}"
            last[fact.partition] = fact.offset


def commits_pass_only_what_is_done(facts: Sequence[Fact]) -> Iterator[str]:
    """When an offset is committed, each record before it was accepted or is a dead letter."""
    written = _written(facts)
    partitions = _partitions(facts)
    done: set[tuple[int, int]] = set()
    for fact in facts:
        if isinstance(fact, Responded):
            done |= {(partitions[fact.delivery], offset) for offset in fact.accepted}
        elif isinstance(fact, DeadLettered):
            done.add(fact)
        elif isinstance(fact, Committed):
            passed = {each for each in written[fact.partition] if each[1] < fact.offset}
            if undone := passed - done:
                yield f"{fact} passes {sorted(undone)[:3]}"
            written[fact.partition] -= passed


def accepted_records_are_in_order(facts: Sequence[Fact]) -> Iterator[str]:
    """When a record is first accepted, each one before it was accepted, or becomes a dead letter.

    Records of the same request may be missing: the function named them as failed.
    """
    missing = {partition: sorted(each) for partition, each in _written(facts).items()}
    deliveries = {fact.delivery: fact for fact in facts if isinstance(fact, Delivered)}
    done = _dead_lettered(facts)
    for fact in facts:
        if not isinstance(fact, Responded) or not fact.accepted:
            continue
        _, _, partition, offsets = deliveries[fact.delivery]
        first = {offset for offset in fact.accepted if (partition, offset) not in done}
        done |= {(partition, offset) for offset in fact.accepted}
        missing[partition] = [each for each in missing[partition] if each not in done]
        for _, early in missing[partition]:
            if early not in offsets and early < max(first, default=-1):
                yield f"{early} of partition {partition} is missing in {fact}"


def requests_are_in_order(facts: Sequence[Fact]) -> Iterator[str]:
    """The records of one request are in the order of their offsets."""
    for fact in facts:
        if isinstance(fact, Delivered) and list(fact.offsets) != sorted(set(fact.offsets)):
            yield f"{fact}"


def nothing_is_skipped(facts: Sequence[Fact]) -> Iterator[str]:
    """Only a suffix is repeated: from the offset where an owner begins there is no gap.

    A later request of the same instance, or the first one of another, begins no later than
    where the last pass over the partition had come.
    """
    reached: dict[int, int] = defaultdict(int)
    owner: dict[int, str] = {}
    for fact in facts:
        if not isinstance(fact, Delivered):
            continue
        at, end = fact.partition, fact.offsets[-1] + 1
        if fact.offsets[0] > reached[at]:
            yield f"{fact} begins after {reached[at]}"
        reached[at] = max(reached[at], end) if owner.get(at) == fact.instance else end
        owner[at] = fact.instance


def dead_letters_have_a_cause(facts: Sequence[Fact]) -> Iterator[str]:
    """A record becomes a dead letter only after a response that failed it."""
    partitions = _partitions(facts)
    failed: set[tuple[int, int]] = set()
    for fact in facts:
        if isinstance(fact, Responded):
            failed |= {(partitions[fact.delivery], offset) for offset in fact.failed}
        elif isinstance(fact, DeadLettered) and fact not in failed:
            yield f"{fact}"


RULES: Sequence[Rule] = (
    nothing_is_lost,
    all_is_committed_in_the_end,
    commits_never_go_back,
    commits_pass_only_what_is_done,
    accepted_records_are_in_order,
    requests_are_in_order,
    nothing_is_skipped,
    nothing_is_repeated_without_cause,
    dead_letters_have_a_cause,
)


def _partitions(facts: Sequence[Fact]) -> dict[int, int]:
    return {fact.delivery: fact.partition for fact in facts if isinstance(fact, Delivered)}


def _accepted(facts: Sequence[Fact]) -> set[tuple[int, int]]:
    partitions = _partitions(facts)
    answers = [fact for fact in facts if isinstance(fact, Responded)]
    return {(partitions[each.delivery], offset) for each in answers for offset in each.accepted}


def _dead_lettered(facts: Sequence[Fact]) -> set[tuple[int, int]]:
    return {(fact.partition, fact.offset) for fact in facts if isinstance(fact, DeadLettered)}


def _written(facts: Sequence[Fact]) -> dict[int, set[tuple[int, int]]]:
    written: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for fact in facts:
        if isinstance(fact, Written):
            written[fact.partition].add((fact.partition, fact.offset))
    return written
