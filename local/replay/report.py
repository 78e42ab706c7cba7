"""What came of a replay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from functions.shared.contract.event import Event
from local.replay.formatting import line

READY = "READY"


@dataclass
class Report:
    """The events of a replay, each once, and what became of them.

    `accepted` has the highlight's id of each that went in and makes one, `passed_by` those that
    went in and make none, `problems` why one did not,
    `statuses` what was last read of each highlight, and `unexplained` the ids of highlights in
    these matches that are of no goal that went in. `seconds` are those each 202 took, `read_for`
    those from the last post to the end of the reading back.
    """

    events: Sequence[Event]
    accepted: dict[Event, UUID] = field(default_factory=dict)
    passed_by: set[Event] = field(default_factory=set)
    problems: dict[Event, str] = field(default_factory=dict)
    statuses: dict[UUID, str] = field(default_factory=dict)
    unexplained: set[UUID] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)
    read_for: float = 0

    @property
    def goals(self) -> list[Event]:
        """The events that have, or should have, a highlight."""
        return [event for event in self.events if event not in self.passed_by]

    @property
    def ready(self) -> int:
        """How many goals have a READY highlight."""
        return sum(self.statuses.get(id_) == READY for id_ in self.accepted.values())

    @property
    def missing(self) -> dict[Event, str]:
        """The goals without a READY highlight, and why."""
        return {goal: why for goal in self.goals if (why := self._status(goal)) != READY}

    def lines(self) -> Iterator[str]:
        """Yield the report as people read it."""
        yield f"{len(self.accepted)} of {len(self.goals)} goals went in{self._answers()}"
        if self.accepted:
            yield (
                f"{self.ready} of {len(self.goals)} highlights are READY, "
                f"{self.read_for:.1f} s after the last goal was posted"
            )
        if self.passed_by:
            yield f"{len(self.passed_by)} events went in that make no highlight"
        if self.unexplained:
            yield f"{len(self.unexplained)} more highlights in these matches are of no goal posted"
        for goal, why in self.missing.items():
            yield f"missing: {line(goal)}: {why}"

    def _status(self, goal: Event) -> str:
        if goal in self.accepted:
            return self.statuses.get(self.accepted[goal], "not read")
        return self.problems.get(goal, "not posted")

    def _answers(self) -> str:
        if not self.seconds:
            return ""
        times = sorted(self.seconds)
        median, p99 = (1000 * times[int(share * len(times))] for share in (0.5, 0.99))
        return f", {len(times)} posts accepted in {median:.0f} ms (median), {p99:.0f} ms (p99)"
