"""The result of a benchmark: one line of the table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import ge, le
from statistics import median
from typing import TypeVar

Figure = TypeVar("Figure")


@dataclass(frozen=True)
class Result:
    """A figure, its comparison, and whether it meets its aim."""

    what: str
    ours: str
    peer: str
    figure: str
    aim: str
    good: bool


def interleaved(rounds: int, *measures: Callable[[], Figure]) -> list[list[Figure]]:
    """Run each measure once a round, in turn, so that noise of the machine affects all alike."""
    measured = [[measure() for measure in measures] for _ in range(rounds)]
    return [list(figures) for figures in zip(*measured, strict=True)]


def at_least(
    what: str,
    unit: str,
    ours: Sequence[float],
    peer: Sequence[float],
    against: str,
    aim: float | None = None,
) -> Result:
    """The median ratio of rounds in which ours and the peer's were taken side by side."""
    return _beside(what, unit, ours, peer, against, aim, "≥", ge)


def at_most(
    what: str,
    unit: str,
    ours: Sequence[float],
    peer: Sequence[float],
    against: str,
    aim: float | None = None,
) -> Result:
    """Like `at_least`, for costs."""
    return _beside(what, unit, ours, peer, against, aim, "≤", le)


def _beside(
    what: str,
    unit: str,
    ours: Sequence[float],
    peer: Sequence[float],
    against: str,
    aim: float | None,
    sign: str,
    holds: Callable[[float, float], bool],
) -> Result:
    ratio = median(mine / its for mine, its in zip(ours, peer, strict=True))
    return Result(
        what,
        f"{median(ours):,.0f} {unit}",
        f"{median(peer):,.0f} {unit}, {against}",
        f"{ratio:.2f} ×",
        "" if aim is None else f"{sign} {aim:g} ×",
        aim is None or holds(ratio, aim),
    )
