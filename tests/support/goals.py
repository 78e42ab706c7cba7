"""Real goals: the World Cups of 2014, 2018 and 2022, and international matches of 2021 and 2022.

`tests/data/goals.jsonl` has a match a line, its goals in order, of openfootball/worldcup at
bd46a148289f and martj42/international_results at 65d212aac5de; both are CC0 1.0.
"""

import json
from collections import Counter
from dataclasses import replace
from functools import cache

from functions.shared.contract.highlight import Facts
from local.stack import ROOT

FULL_TIME, HALF_OF_EXTRA_TIME = 90, 105  # minutes


@cache
def goals_of_matches() -> list[list[Facts]]:
    """Return the facts of the goals, match by match, with the score after each."""
    lines = (ROOT / "tests/data/goals.jsonl").read_text("utf-8").splitlines()
    return [_facts(*json.loads(line)) for line in lines]


def _facts(home: str, away: str, goals: list[list[object]]) -> list[Facts]:
    score: Counter[object] = Counter()
    facts = []
    for side, kind, player, minute, added in goals:
        score[side] += 1
        goal = Facts(kind, side, player, minute=minute, added_time=added)  # type: ignore[arg-type] # from JSON
        if goal.minute and goal.minute > FULL_TIME:
            half = "first" if goal.minute <= HALF_OF_EXTRA_TIME else "second"
            goal = replace(goal, period=f"extra_time_{half}")
        facts.append(
            replace(
                goal,
                home_team=home,
                away_team=away,
                home_score=score["home"],
                away_score=score["away"],
            )
        )
    return facts
