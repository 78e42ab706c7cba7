"""Real goals: the World Cups of 2014, 2018 and 2022, and international matches of 2021 and 2022.

`tests/data/goals.jsonl` has a match a line, its goals in order, of openfootball/worldcup at
bd46a148289f and martj42/international_results at 65d212aac5de; both are CC0 1.0.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from functions.shared.contract.highlight import Facts
from local.stack import ROOT

KICKS, SCORED = 5, 0.75  # of each side, and the share of them that score
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


def shoot_outs(*, clock: bool, count: int = 100) -> Iterator[list[Facts]]:
    """Yield the kicks of shoot-outs of five kicks each and then until one side is ahead, by chance.

    Args:
        clock: whether the added time counts the kicks, as in some feeds.
        count: of shoot-outs, the same ones in each run.
    """
    chance = random.Random(2022)  # not for secrets
    for _ in range(count):
        score, kicks = {"home": 0, "away": 0}, list[Facts]()
        sides = chance.choice([("home", "away"), ("away", "home")])
        while len(kicks) < 2 * KICKS or len(kicks) % 2 or score["home"] == score["away"]:
            side = sides[len(kicks) % 2]
            is_goal = chance.random() < SCORED
            score[side] += is_goal
            kicks.append(
                Facts(
                    "shootout_goal" if is_goal else "shootout_miss",
                    side,
                    f"N{len(kicks)}",
                    minute=FULL_TIME + 30,
                    added_time=len(kicks) + 1 if clock else None,
                    home_team="Argentina",
                    away_team="France",
                    home_shootout_score=score["home"],
                    away_shootout_score=score["away"],
                )
            )
        yield kicks
