"""The rules of the walk: a good history keeps them, and each bad one breaks the one it should."""

import pytest

from tests.integration.walk.history import (
    Answered,
    Buried,
    Committed,
    Delivered,
    Fact,
    Killed,
    Overrun,
    Restarted,
    Written,
)
from tests.integration.walk.rules import violations

THREE = [Written(0, 0), Written(0, 1), Written(0, 2)]
END = Committed(0, 3)


def delivered(number: int, *offsets: int, instance: str = "a") -> Delivered:
    """A delivery of records of partition 0."""
    return Delivered(number, instance, 0, offsets)


def taken(number: int, *offsets: int, clear: bool = True) -> Answered:
    """An answer by which these are taken."""
    return Answered(number, frozenset(offsets), clear=clear)


def named(number: int, took: set[int], failed: set[int]) -> Answered:
    """An answer by which some are taken and some are not."""
    return Answered(number, frozenset(took), frozenset(failed))


def brought(number: int, *offsets: int, instance: str = "a") -> list[Fact]:
    """A delivery that is taken."""
    return [delivered(number, *offsets, instance=instance), taken(number, *offsets)]


GOOD: dict[str, list[Fact]] = {
    "each once": [*brought(1, 0, 1), Committed(0, 2), *brought(2, 2)],
    "killed before the commit": [
        *brought(1, 0, 1),
        Killed("a"),
        *brought(2, 0, 1, instance="b"),
        *brought(3, 2, instance="b"),
    ],
    "an answer that was lost": [
        delivered(1, 0, 1),
        taken(1, 0, 1, clear=False),
        *brought(2, 0, 1, 2),
    ],
    "one that is named comes after the others": [
        delivered(1, 0, 1, 2),
        named(1, {1, 2}, {0}),
        *brought(2, 0),
    ],
    "a rebalance while one is named": [
        delivered(1, 0, 1, 2),
        named(1, {0, 2}, {1}),
        Committed(0, 1),
        *brought(2, 1, 2, instance="b"),
    ],
    "a restart of the broker": [
        *brought(1, 0, 1),
        Restarted(),
        *brought(2, 0, 1),
        *brought(3, 2),
    ],
    "a rebalance that is not waited for": [
        *brought(1, 0, 1),
        *brought(2, 0, 1),
        *brought(3, 2),
        Overrun(0),
    ],
    "a dead letter": [
        delivered(1, 0, 1, 2),
        named(1, {0, 2}, {1}),
        Buried(0, 1),
    ],
    "refused until it stands alone": [
        delivered(1, 0, 1, 2),
        named(1, set(), {0, 1, 2}),
        delivered(2, 0),
        named(2, set(), {0}),
        *brought(3, 1, 2),
        Buried(0, 0),
    ],
}


@pytest.mark.parametrize("facts", GOOD.values(), ids=GOOD)
def test_a_history_that_keeps_the_promises_has_no_violations(facts: list[Fact]) -> None:
    """What may happen when processes die and answers get lost is allowed."""
    assert violations([*THREE, *facts, END]) == []


BAD: dict[str, list[Fact]] = {
    "nothing_is_lost": [*brought(1, 0, 1), END],
    "all_is_committed_in_the_end": [*brought(1, 0, 1, 2), Committed(0, 2)],
    "commits_never_go_back": [*brought(1, 0, 1, 2), END, Committed(0, 2), END],
    "commits_pass_only_what_is_done": [delivered(1, 0, 1, 2), END, taken(1, 0, 1, 2)],
    "takes_are_in_order": [delivered(1, 0), *brought(2, 1), taken(1, 0), *brought(3, 2), END],
    "requests_are_in_order": [*brought(1, 0, 2, 1), END],
    "nothing_is_skipped": [
        *brought(1, 0, 1),
        Killed("a"),
        *brought(2, 0, instance="b"),
        *brought(3, 2, instance="b"),
        END,
    ],
    "burials_have_a_cause": [*brought(1, 0, 1), Buried(0, 2), END],
}


ALSO = {"nothing_is_lost": {"commits_pass_only_what_is_done"}}  # else it is not committed


@pytest.mark.parametrize(("rule", "facts"), BAD.items(), ids=BAD)
def test_a_history_that_breaks_a_promise_is_caught(rule: str, facts: list[Fact]) -> None:
    """By the rule made for it."""
    broken = {each.partition(":")[0] for each in violations([*THREE, *facts])}
    assert broken == {rule} | ALSO.get(rule, set())


REPEATED: dict[str, list[Fact]] = {
    "by the same instance": [*brought(1, 0, 1), *brought(2, 1, 2)],
    "by another one at a graceful stop": [*brought(1, 0, 1), *brought(2, 1, 2, instance="b")],
    "after another one was killed": [
        *brought(1, 0, 1),
        Killed("b"),
        *brought(2, 1, 2, instance="c"),
    ],
    "once more after a replay": [
        *brought(1, 0, 1),
        Killed("a"),
        *brought(2, 0, 1, instance="b"),
        *brought(3, 0, 1, 2, instance="c"),
    ],
    "a second time after one restart": [
        *brought(1, 0, 1),
        Restarted(),
        *brought(2, 0, 1, instance="b"),
        *brought(3, 0, 1, 2),
    ],
    "a second time after one overrun": [
        *brought(1, 0, 1),
        *brought(2, 0, 1),
        *brought(3, 0, 1, 2),
        Overrun(0),
    ],
    "after an overrun of another partition": [
        *brought(1, 0, 1),
        *brought(2, 0, 1, 2),
        Overrun(1),
    ],
    "though committed": [
        *brought(1, 0, 1),
        Committed(0, 2),
        Killed("a"),
        *brought(2, 1, 2, instance="b"),
    ],
    "once what was named is settled": [
        delivered(1, 0, 1),
        named(1, {1}, {0}),
        *brought(2, 0),
        *brought(3, 1, 2, instance="b"),
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
    facts: list[Fact] = [delivered(1, 0, 1, 2), named(1, {0, 2}, {1}), END, Buried(0, 1)]
    [violation] = violations([*THREE, *facts])
    assert violation.startswith("commits_pass_only_what_is_done")
