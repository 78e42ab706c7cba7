"""The settings for events."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.event_types import HighlightTypes
from functions.shared.settings.base import Settings


class EventSettings(Settings):
    """Which events make a highlight, and how far ahead of our clock an event may occur."""

    highlight_event_types: Annotated[str, StringConstraints(pattern=r"[^\s,]")] = (
        "goal,own_goal,penalty_goal"
    )
    max_clock_skew_s: Annotated[float, Field(ge=0, le=366 * 86_400)] = 86_400.0

    @property
    def rules(self) -> EventRules:
        """The rules that these settings make."""
        highlight_types = HighlightTypes.of(self.highlight_event_types)
        return EventRules(highlight_types, timedelta(seconds=self.max_clock_skew_s))
