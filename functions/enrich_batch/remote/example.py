"""An example for a model: the same situation with other names."""

from dataclasses import replace

from functions.enrich_batch.enricher import EnrichmentTask
from functions.enrich_batch.situation import KINDS, situation_of

HOME, AWAY, THIRD, PLAYER, ASSIST = "Red Town", "Blue Town", "Green Town", "John Doe", "Jane Roe"


def example_of(task: EnrichmentTask) -> EnrichmentTask | None:
    """Return the task with names of ours, so that no text of a stranger's is in the example.

    There is none of an event whose type is not known: its name is a stranger's too.
    """
    facts = task.facts
    if situation_of(facts).kind not in KINDS:
        return None
    renamed = replace(
        facts,
        team=facts.side or (facts.team and THIRD),
        player=facts.player and PLAYER,
        assist=facts.assist and ASSIST,
        description=None,
        home_team=facts.home_team and HOME,
        away_team=facts.away_team and AWAY,
    )
    return replace(task, facts=renamed, refusals=())
