"""The result of a replay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from functions.shared.contract.event import Event
from local.replay.formatting import event_line

READY = "READY"


@dataclass
class Report:
    """The events of a replay, each once, and their outcome.

    `accepted` has the id of the highlight of each accepted event that makes one, and
    `without_highlight` the accepted events that make none; `problems` says why an event was not
    accepted. `statuses` has the last status of each highlight, `unexpected` the ids of highlights
    of these matches that belong to no accepted goal. `response_times_s` are the seconds until each
    202, `polled_s` the seconds from the last post to the last poll.
    """

    events: Sequence[Event]
    accepted: dict[Event, UUID] = field(default_factory=dict)
    without_highlight: set[Event] = field(default_factory=set)
    problems: dict[Event, str] = field(default_factory=dict)
    statuses: dict[UUID, str] = field(default_factory=dict)
    unexpected: set[UUID] = field(default_factory=set)
    response_times_s: list[float] = field(default_factory=list)
    polled_s: float = 0

    @property
    def goals(self) -> list[Event]:
        """The events that have, or should have, a highlight."""
        return [event for event in self.events if event not in self.without_highlight]

    @property
    def ready(self) -> int:
        """How many goals have a READY highlight."""
        return sum(self.statuses.get(id_) == READY for id_ in self.accepted.values())

    @property
    def missing(self) -> dict[Event, str]:
        """The goals without a READY highlight, with the reason."""
        return {goal: status for goal in self.goals if (status := self._status(goal)) != READY}

    def lines(self) -> Iterator[str]:
        """Yield the lines of the report."""
        yield f"{len(self.accepted)} of {len(self.goals)} goals went in{self._response_times()}"
        if self.accepted:
            yield (
                f"{self.ready} of {len(self.goals)} highlights are READY, "
                f"{self.polled_s:.1f} s after the last goal was posted"
            )
        if self.without_highlight:
            yield f"{len(self.without_highlight)} events went in that make no highlight"
        if self.unexpected:
            yield f"{len(self.unexpected)} more highlights in these matches are of no goal posted"
        for goal, reason in self.missing.items():
            yield f"missing: {event_line(goal)}: {reason}"

    def _status(self, goal: Event) -> str:
        if goal in self.accepted:
            return self.statuses.get(self.accepted[goal], "not read")
        return self.problems.get(goal, "not posted")

    def _response_times(self) -> str:
        if not self.response_times_s:
            return ""
        times = sorted(self.response_times_s)
        median, p99 = (1000 * times[int(share * len(times))] for share in (0.5, 0.99))
        return f", {len(times)} posts accepted in {median:.0f} ms (median), {p99:.0f} ms (p99)"
