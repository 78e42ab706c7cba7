"""The words of the facts in a language, which its phrases are filled with."""

from collections.abc import Iterator, Mapping

from functions.enrich_batch.enricher import UNKNOWN_TYPE
from functions.enrich_batch.situation import Situation
from functions.enrich_batch.template.language import Language
from functions.shared.contract.highlight import Facts

Words = dict[str, str]


def words_of(facts: Facts, situation: Situation, language: Language) -> Words:
    """Return the words of all facts that are known, by their name in the phrases."""
    side = _side_words(facts, language, are_listed=_are_named(facts))
    words = {**language.kind.get(situation.kind, {}), **side}
    if facts.player:
        words["player"] = language.isolate(facts.player)
    if facts.assist and situation.kind != "penalty_goal":
        words["assist"] = language.isolate(facts.assist)
    if facts.score and situation.shows_score:
        words["score"] = _score(facts, facts.score, language)
    if facts.shootout_score:
        words["shootout_score"] = _score(facts, facts.shootout_score, language)
    if facts.minute is not None:
        words |= _time_words(facts.minute, facts.added_time, language)
    if situation.kind == "other":
        known = {UNKNOWN_TYPE: language.formats["event"], **language.event_types}
        event_type = known.get(facts.event_type.casefold(), facts.event_type)
        words["event_type"] = event_type if side else event_type[0].upper() + event_type[1:]
    return words


def poorer(words: Words, facts: Facts, language: Language) -> Iterator[Words]:
    """Yield the words, then always fewer of them: what a reader misses least goes first."""
    yield words
    yield (words := without(words, "assist"))
    yield (words := without(words, "clock", "when"))
    if _are_named(facts):
        numbers = {"score": facts.score, "shootout_score": facts.shootout_score}
        words = words | {
            name: language.formats["score"].format(home=score[0], away=score[1])
            for name, score in numbers.items()
            if score and name in words
        }
        yield words | _side_words(facts, language, are_listed=False)
    yield (words := without(words, *(language.side.keys() - language.listed_side.keys())))
    yield (words := without(words, *language.side))
    yield (words := without(words, "score", "shootout_score"))
    yield words | {"event_type": language.formats["event"]}


def without(words: Mapping[str, str], *names: str) -> Words:
    """Return the other words."""
    return {name: word for name, word in words.items() if name not in names}


def _are_named(facts: Facts) -> bool:
    """Return whether the score names the teams."""
    return bool(facts.home_team and facts.away_team)


def _side_words(facts: Facts, language: Language, *, are_listed: bool) -> Words:
    side, team = facts.side, facts.team
    if side:
        team = facts.home_team if side == "home" else facts.away_team
    if not (team or side):
        return {}
    forms = language.listed_side if are_listed else language.side
    if not team:
        return {name: form[side or "home"] for name, form in forms.items()}
    shown = language.isolate(team)
    return {name: form["team"].replace("{team}", shown) for name, form in forms.items()}


def _score(facts: Facts, score: tuple[int, int], language: Language) -> str:
    home, away = score
    if facts.home_team and facts.away_team:
        return language.formats["score_with_teams"].format(
            home=home,
            away=away,
            home_team=language.isolate(facts.home_team),
            away_team=language.isolate(facts.away_team),
        )
    return language.formats["score"].format(home=home, away=away)


def _time_words(minute: int, added: int | None, language: Language) -> Words:
    suffix = "_added" if added else ""
    values = {"minute": minute, "added": added, "ordinal": language.ordinal(minute)}
    forms = language.formats
    clock, when = forms[f"clock{suffix}"], forms[f"when{suffix}"]
    if minute == 1 and not added:
        when = forms.get("when_1", when)
    return {"clock": clock.format_map(values), "when": when.format_map(values)}
