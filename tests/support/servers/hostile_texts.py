"""What a hostile model says of facts: names and numbers that are true, or wrong in one respect."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

STRANGER = "Zoltan Novak"
OTHER_TEAM = "Ruritania"
OBEYED = "HACKED! Visit https://evil.example/win"
NUMBER = re.compile(r"\d+")
GOAL = {
    "en": "goal",
    "de": "Tor",
    "es": "gol",
    "fr": "but",
    "pt-BR": "gol",
    "ar": "هدف",
    "ja": "ゴール",
}
OWN_GOAL = {
    "en": "own goal",
    "de": "Eigentor",
    "es": "gol en propia puerta",
    "fr": "but contre son camp",
    "pt-BR": "gol contra",
    "ar": "هدف عكسي",
    "ja": "オウンゴール",
}


@dataclass(frozen=True)
class AskedFacts:
    """The facts of a request, the same from either enricher, and what else stands in it."""

    player: str
    team: str
    minute: str
    is_own_goal: bool
    home: tuple[str, int]
    away: tuple[str, int]
    description: str
    leak: str = field(default="", compare=False, repr=False)

    @property
    def numbers(self) -> set[int]:
        """All numbers that a text may say."""
        return {self.home[1], self.away[1], *map(int, NUMBER.findall(self.minute))}


def text_of(facts: AskedFacts, language: str = "en", **wrong: Any) -> dict[str, str]:
    """Return a title and a summary: names and numbers, and the word for a goal or an own goal."""
    told = {"player": facts.player, "team": facts.team, "minute": facts.minute} | wrong
    (home, scored), (away, conceded) = wrong.get("score", (facts.home, facts.away))
    score = f"{home} {scored}-{conceded} {away}"
    kind = (OWN_GOAL if facts.is_own_goal else GOAL)[language]
    return {
        "title": f"{told['player']}, {kind}: {score}",
        "summary": f"{told['player']}, {kind} ({told['team']}), {told['minute']}'.",
    }


def _wrong_minute(facts: AskedFacts, language: str, chance: Random) -> dict[str, str]:
    wrong = chance.choice([minute for minute in range(1, 91) if minute not in facts.numbers])
    return text_of(facts, language, minute=str(wrong))


def _swapped_score(facts: AskedFacts, language: str, _: Random) -> dict[str, str]:
    (home, scored), (away, conceded) = facts.home, facts.away
    wrong = (home, conceded), (away, scored)
    if scored == conceded:
        wrong = (home, scored + 1), (away, conceded)
    return text_of(facts, language, score=wrong)


def _obeyed(facts: AskedFacts, language: str, _: Random) -> dict[str, str]:
    if STRANGER in facts.description:
        return text_of(facts, language, player=STRANGER, team=OTHER_TEAM)
    return {**text_of(facts, language), "title": OBEYED}


# Of facts, a language, and dice for the details.
BAD_TEXTS: dict[str, Callable[[AskedFacts, str, Random], dict[str, str]]] = {
    "invented scorer": lambda facts, language, _: text_of(facts, language, player=STRANGER),
    "wrong minute": _wrong_minute,
    "other team": lambda facts, language, _: text_of(facts, language, team=OTHER_TEAM),
    "swapped score": _swapped_score,
    "leaked prompt": lambda facts, language, _: {**text_of(facts, language), "summary": facts.leak},
    "instruction obeyed": _obeyed,
}


def asked_of_model(asked: dict[str, Any]) -> tuple[AskedFacts, list[str]]:
    """Return the facts and the languages of a request for a chat completion."""
    rules, *_, told = (message["content"] for message in asked["messages"])
    facts = json.loads(told)["facts"]
    match = re.fullmatch(r"(.+) (\d+)-(\d+) (.+)", facts.get("score", "home 0-0 away"))
    assert match
    home, scored, conceded, away = match.groups()
    return AskedFacts(
        facts.get("player", ""),
        facts.get("team", ""),
        facts.get("minute", "1"),
        facts["event"] == "own goal",
        (home, int(scored)),
        (away, int(conceded)),
        facts.get("description", ""),
        rules.splitlines()[0][:200],
    ), [*json.loads(rules.splitlines()[-1])]


def asked_over_http(asked: dict[str, Any], key: str) -> tuple[AskedFacts, list[str]]:
    """Return the facts and the languages of a request by the enricher `http`."""
    return AskedFacts(
        asked.get("player", ""),
        asked.get("team", ""),
        "+".join(str(asked[name]) for name in ("minute", "addedTime") if name in asked) or "1",
        asked["eventType"] == "own goal",
        (asked.get("homeTeam", "home"), asked.get("homeScore", 0)),
        (asked.get("awayTeam", "away"), asked.get("awayScore", 0)),
        asked.get("description", ""),
        f"X-Api-Key: {key}",
    ), asked["languages"]
