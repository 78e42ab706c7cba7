"""The port of the enrichers: the facts as they need them, the texts that they write, the errors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol

from functions.enrich_batch.one_line import one_line
from functions.enrich_batch.situation import KINDS
from functions.shared.contract.event_types import SHOOTOUT_GOAL, is_kick
from functions.shared.contract.highlight import Facts, HighlightText
from functions.shared.errors import GoalStreamError

NAMES: Final = ("team", "player", "assist", "description", "home_team", "away_team")
UNKNOWN_TYPE: Final = "event"
Style = Literal["neutral", "short"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason for which a text was refused: the code of a rule, and what was found."""

    code: str
    found: str


@dataclass(frozen=True, slots=True)
class EnrichmentTask:
    """The facts of a highlight, normalized, and the texts that are asked for.

    `languages` are tags of BCP 47, the first of which is that of title and summary. `refusals` are
    those of the try before.
    """

    facts: Facts
    languages: tuple[str, ...] = ("en",)
    style: Style = "neutral"
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What an enricher wrote: a text by language, of which some may be missing.

    `written_by` is `template`, `http` or `model:NAME`; `tokens` are those that a model used.
    """

    texts: Mapping[str, HighlightText]
    written_by: str
    thumbnail_url: str | None = None
    tokens: int = 0


class EnricherUnavailable(GoalStreamError):
    """The endpoint does not answer now, or lets nobody in: no fault of this highlight.

    `retry_after_s` are the seconds that the endpoint asks to wait, if it does. `after_refusal` is
    whether it has written a text for this highlight just before, which was refused.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.after_refusal = False


class EnrichmentRefused(GoalStreamError):
    """The endpoint wrote no text, or none that can be used: a try that failed.

    `tokens` are those that it used all the same.
    """

    def __init__(self, reason: str, tokens: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.tokens = tokens


class Enricher(Protocol):
    """Writes the texts of a highlight, and states nothing that the facts do not."""

    async def enrich(self, task: EnrichmentTask) -> Draft:
        """Return the texts for these facts.

        Raises:
            EnricherUnavailable: the endpoint is away; the highlight may be tried again later.
            EnrichmentRefused: there is no text that can be used.
        """
        ...


def normalize(facts: Facts) -> Facts:
    """Return the facts with each text on one line, and None for one that says nothing.

    The type is in words, and that of any goal in a shoot-out is "shootout goal".
    """
    is_shootout_goal = is_kick(facts.event_type.casefold(), facts.period)
    event_type = SHOOTOUT_GOAL if is_shootout_goal else facts.event_type
    lines: dict[str, Any] = {name: one_line(getattr(facts, name)) for name in NAMES}
    lines["event_type"] = one_line(event_type.replace("_", " ")) or UNKNOWN_TYPE
    changed = {name: line for name, line in lines.items() if line != getattr(facts, name)}
    return replace(facts, **changed) if changed else facts


def without_names(facts: Facts) -> Facts:
    """Return normalized facts without what a stranger may have written; the side stays."""
    is_known = facts.event_type.casefold().replace(" ", "_") in KINDS
    known = {"event_type": facts.event_type if is_known else UNKNOWN_TYPE, "team": facts.side}
    return replace(facts, **dict.fromkeys(NAMES) | known)  # type: ignore[arg-type] # of any type
