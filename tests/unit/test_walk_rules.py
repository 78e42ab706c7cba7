"""The rules of the walk: a good history keeps them, and each bad one breaks the one it should."""

import pytest

from tests.integration.walk.history import (
    Committed,
    DeadLettered,
    Delivered,
    Fact,
    Killed,
    Overrun,
    Responded,
    Restarted,
    Written,
)
from tests.integration.walk.rules import violations

THREE = [Written(0, 0), Written(0, 1), Written(0, 2)]
END = Committed(0, 3)


def delivered(number: int, *offsets: int, instance: str = "a") -> Delivered:
    """A delivery of records of partition 0."""
    return Delivered(number, instance, 0, offsets)


def accepted(number: int, *offsets: int, clear: bool = True) -> Responded:
    """A response by which these are accepted."""
    return Responded(number, frozenset(offsets), clear=clear)


def named(number: int, took: set[int], failed: set[int]) -> Responded:
    """A response by which some are accepted and some failed."""
    return Responded(number, frozenset(took), frozenset(failed))


def processed(number: int, *offsets: int, instance: str = "a") -> list[Fact]:
    """A delivery that is accepted."""
    return [delivered(number, *offsets, instance=instance), accepted(number, *offsets)]


GOOD: dict[str, list[Fact]] = {
    "each once": [*processed(1, 0, 1), Committed(0, 2), *processed(2, 2)],
    "killed before the commit": [
        *processed(1, 0, 1),
        Killed("a"),
        *processed(2, 0, 1, instance="b"),
        *processed(3, 2, instance="b"),
    ],
    "an answer that was lost": [
        delivered(1, 0, 1),
        accepted(1, 0, 1, clear=False),
        *processed(2, 0, 1, 2),
    ],
    "one that is named comes after the others": [
        delivered(1, 0, 1, 2),
        named(1, {1, 2}, {0}),
        *processed(2, 0),
    ],
    "a rebalance while one is named": [
        delivered(1, 0, 1, 2),
        named(1, {0, 2}, {1}),
        Committed(0, 1),
        *processed(2, 1, 2, instance="b"),
    ],
    "a restart of the broker": [
        *processed(1, 0, 1),
        Restarted(),
        *processed(2, 0, 1),
        *processed(3, 2),
    ],
    "a rebalance that is not waited for": [
        *processed(1, 0, 1),
        *processed(2, 0, 1),
        *processed(3, 2),
        Overrun(0),
    ],
    "a dead letter": [
        delivered(1, 0, 1, 2),
        named(1, {0, 2}, {1}),
        DeadLettered(0, 1),
    ],
    "refused until it stands alone": [
        delivered(1, 0, 1, 2),
        named(1, set(), {0, 1, 2}),
        delivered(2, 0),
        named(2, set(), {0}),
        *processed(3, 1, 2),
        DeadLettered(0, 0),
    ],
}


@pytest.mark.parametrize("facts", GOOD.values(), ids=GOOD)
def test_a_history_that_keeps_the_promises_has_no_violations(facts: list[Fact]) -> None:
    """Repetitions are allowed where a process died or a response was lost."""
    assert violations([*THREE, *facts, END]) == []


BAD: dict[str, list[Fact]] = {
    "nothing_is_lost": [*processed(1, 0, 1), END],
    "all_is_committed_in_the_end": [*processed(1, 0, 1, 2), Committed(0, 2)],
    "commits_never_go_back": [*processed(1, 0, 1, 2), END, Committed(0, 2), END],
    "commits_pass_only_what_is_done": [delivered(1, 0, 1, 2), END, accepted(1, 0, 1, 2)],
    "accepted_records_are_in_order": [
        delivered(1, 0),
        *processed(2, 1),
        accepted(1, 0),
        *processed(3, 2),
        END,
    ],
    "requests_are_in_order": [*processed(1, 0, 2, 1), END],
    "nothing_is_skipped": [
        *processed(1, 0, 1),
        Killed("a"),
        *processed(2, 0, instance="b"),
        *processed(3, 2, instance="b"),
        END,
    ],
    "dead_letters_have_a_cause": [*processed(1, 0, 1), DeadLettered(0, 2), END],
}


ALSO_BROKEN = {
    "nothing_is_lost": {"commits_pass_only_what_is_done"}
}  # otherwise it is not committed


@pytest.mark.parametrize(("rule", "facts"), BAD.items(), ids=BAD)
def test_a_history_that_breaks_a_promise_is_caught(rule: str, facts: list[Fact]) -> None:
    """By the rule for that promise."""
    broken = {each.partition(":")[0] for each in violations([*THREE, *facts])}
    assert broken == {rule} | ALSO_BROKEN.get(rule, set())


REPEATED: dict[str, list[Fact]] = {
    "by the same instance": [*processed(1, 0, 1), *processed(2, 1, 2)],
    "by another one at a graceful stop": [
        *processed(1, 0, 1),
        *processed(2, 1, 2, instance="b"),
    ],
    "after another one was killed": [
        *processed(1, 0, 1),
        Killed("b"),
        *processed(2, 1, 2, instance="c"),
    ],
    "once more after a replay": [
        *processed(1, 0, 1),
        Killed("a"),
        *processed(2, 0, 1, instance="b"),
        *processed(3, 0, 1, 2, instance="c"),
    ],
    "a second time after one restart": [
        *processed(1, 0, 1),
        Restarted(),
        *processed(2, 0, 1, instance="b"),
        *processed(3, 0, 1, 2),
    ],
    "a second time after one overrun": [
        *processed(1, 0, 1),
        *processed(2, 0, 1),
        *processed(3, 0, 1, 2),
        Overrun(0),
    ],
    "after an overrun of another partition": [
        *processed(1, 0, 1),
        *processed(2, 0, 1, 2),
        Overrun(1),
    ],
    "though committed": [
        *processed(1, 0, 1),
        Committed(0, 2),
        Killed("a"),
        *processed(2, 1, 2, instance="b"),
    ],
    "once what was named is settled": [
        delivered(1, 0, 1),
        named(1, {1}, {0}),
        *processed(2, 0),
        *processed(3, 1, 2, instance="b"),
    ],
}


@pytest.mark.parametrize("facts", REPEATED.values(), ids=REPEATED)
def test_a_record_that_comes_again_without_cause_is_caught(facts: list[Fact]) -> None:
    """A kill excuses what the killed one had not committed, a restart what nobody had, once.

    So does an overrun, of its partition.
    """
    broken = {each.partition(":")[0] for each in violations([*THREE, *facts, END])}
    assert broken == {"nothing_is_repeated_without_cause"}


def test_a_dead_letter_that_comes_too_late_is_caught() -> None:
    """An offset is committed only after the dead letter is there."""
    facts: list[Fact] = [delivered(1, 0, 1, 2), named(1, {0, 2}, {1}), END, DeadLettered(0, 1)]
    [violation] = violations([*THREE, *facts])
    assert violation.startswith("commits_pass_only_what_is_done")
