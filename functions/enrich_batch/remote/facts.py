"""The facts of a highlight as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Final

from pydantic.alias_generators import to_camel

from functions.enrich_batch.enricher import Refusal
from functions.enrich_batch.goal_effect import certain_effect, score_is_doubtful
from functions.shared.contract.highlight import Facts

MAX_REFUSALS: Final = 10
MAX_FOUND: Final = 100  # characters


def facts_document(facts: Facts, *, with_description: bool) -> dict[str, object]:
    """Return the facts that are known and certain, under the names of the event.

    `team` is the name of the side, if that is known, and `effect` that of a goal on the score.
    """
    if score_is_doubtful(facts):
        facts = replace(facts, home_score=None, away_score=None)
    if not with_description:
        facts = replace(facts, description=None)
    effect = certain_effect(facts)
    known = asdict(replace(facts, team=team_name(facts)))
    known["effect"] = effect and effect.name.lower()
    return {to_camel(name): value for name, value in known.items() if value is not None}


def refusals_document(refusals: Sequence[Refusal]) -> list[dict[str, str]]:
    """Return the first refusals of the try before, with what was found cut to a length."""
    return [
        {"code": each.code, "found": each.found[:MAX_FOUND]} for each in refusals[:MAX_REFUSALS]
    ]


def team_name(facts: Facts) -> str | None:
    """Return the name of the side that `team` is, or `team` itself where that is not known."""
    names = {"home": facts.home_team, "away": facts.away_team, None: None}
    return names[facts.side] or facts.team
