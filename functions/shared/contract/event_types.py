"""Types of events: the folding of their spellings, and which of them make a highlight."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

GOAL_TYPES: Final = ("goal", "own_goal", "penalty_goal")
SHOOTOUT: Final = "shootout"
SHOOTOUT_GOAL: Final = "shootout_goal"
SHOOTOUT_MISS: Final = "shootout_miss"

# Spellings of feeds that mean one type and cannot mean another, each in its folded form.
SYNONYMS: Final = {
    "goal_own": "own_goal",
    "owngoal": "own_goal",
    "goal_penalty": "penalty_goal",
    "penaltygoal": "penalty_goal",
}

_BETWEEN_WORDS = re.compile(
    r"[\s_\-\u2010-\u2015]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
)


@lru_cache(maxsize=1024)
def fold_event_type(text: str) -> str:
    """Return the type that a spelling means: lower-case words with `_` between them.

    `ownGoal`, `Own Goal` and `own-goal` are `own_goal`. A text without any word stays as it is.
    """
    folded = _BETWEEN_WORDS.sub("_", text).strip("_").lower()
    return SYNONYMS.get(folded, folded) or text


def is_kick(event_type: str, period: str | None) -> bool:
    """Return whether a goal of this folded type is a kick of a shoot-out, not of the match."""
    return period == SHOOTOUT and event_type in GOAL_TYPES


@dataclass(frozen=True)
class HighlightTypes:
    """The types of the events that make a highlight; `names` are folded."""

    names: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "HighlightTypes":
        """Return the types in a list that is separated by commas, in any spelling."""
        names = (fold_event_type(name.strip()) for name in text.split(",") if name.strip())
        return cls(frozenset(names))

    def include(self, event_type: str, period: str | None) -> bool:
        """Return whether this folded type makes a highlight; a kick is a `shootout_goal`."""
        return (SHOOTOUT_GOAL if is_kick(event_type, period) else event_type) in self.names

    def hint(self, event_type: str, period: str | None) -> str | None:
        """Return why an event makes no highlight, where its sender may have expected one."""
        if is_kick(event_type, period):
            return "A kick of a shoot-out is no goal of the match."
        closest = _closest(event_type, self.names)
        return f"Did you mean {closest}?" if closest else None


@lru_cache(maxsize=1024)  # a feed sends the same types again and again
def _closest(event_type: str, names: frozenset[str]) -> str | None:
    """Return the name that is most like a type, if one is."""
    return next(iter(get_close_matches(event_type, sorted(names), n=1, cutoff=0.7)), None)
