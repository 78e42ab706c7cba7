"""The rules for events that are configured: which make a highlight, which are rejected."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.shared.contract.event import Event
from functions.shared.contract.event_types import HighlightTypes


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class EventRules:
    """The types that make a highlight, and how far ahead of our clock an event may occur."""

    highlight_types: HighlightTypes
    max_clock_skew: timedelta = timedelta(days=1)
    now: Callable[[], datetime] = _utc_now

    def makes_highlight(self, event: Event) -> bool:
        """Return whether an event makes a highlight, unless it is retracted."""
        return self.highlight_types.include(event.event_type, event.period)

    def hint(self, event: Event) -> str | None:
        """Return why an event makes no highlight, where its sender may have expected one."""
        return self.highlight_types.hint(event.event_type, event.period)

    def too_far_ahead(self, event: Event, now: datetime) -> str | None:
        """Return why an event's time is rejected, if it is too far ahead of `now`, our clock's."""
        if event.occurred_at - now <= self.max_clock_skew:
            return None
        return f"lies more than {self.max_clock_skew} ahead of our clock, {now:%Y-%m-%dT%H:%M:%SZ}"
