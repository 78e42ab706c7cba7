"""The phrases of each language, and all real goals told in them."""

import asyncio
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.enrich_batch.enricher import Draft, EnrichmentTask, normalize
from functions.enrich_batch.situation import situation_of
from functions.enrich_batch.template.language import (
    FOLDER,
    LANGUAGES,
    Phrase,
    UnknownLanguage,
    load_language,
)
from functions.enrich_batch.template.template_enricher import LONGEST_SHORT, TemplateEnricher
from functions.enrich_batch.template.words import words_of
from functions.shared.contract.highlight import Facts
from tests.support.goals import goals_of_matches, shoot_outs
from tests.support.pages import section

SCORES = {  # between the names of the teams
    "en": "{}–{}", "es": "{}-{}", "fr": "{}-{}", "de": "{}:{}", "pt-BR": "{} x {}", "ar": "{}–{}",
    "ja": "{}-{}",
}  # fmt: skip
ALWAYS = {"player", "assist", "score", "shootout_score", "clock", "when", "event_type"}
FINAL: dict[str, Any] = {"home_team": "Argentina", "away_team": "France"}
GOAL = Facts("goal", "home", "Ann", minute=36, home_score=1, away_score=0, **FINAL)
SALAH, AHLY = "محمد صلاح", "الأهلي"
EFFECTS = {  # by the score that Ann's goal makes
    "opens": (1, 0), "leads": (2, 1), "equalises": (1, 1), "doubles": (2, 0), "extends": (3, 0),
    "reduces": (1, 2),
}  # fmt: skip


def draft(facts: Facts, *languages: str, **task: Any) -> Draft:
    """Return what the template writes."""
    task = {"languages": languages, **task}
    return asyncio.run(TemplateEnricher().enrich(EnrichmentTask(normalize(facts), **task)))


def title(facts: Facts, language: str = "en", **task: Any) -> str:
    """Return the title alone."""
    return draft(facts, language, **task).texts[language].title


def phrases_of(language: str) -> Iterator[tuple[str, Phrase]]:
    """Yield each phrase of a language, with its path in the file."""
    content = load_language(language)
    for table, phrases in (("title", content.titles), ("summary", content.summaries)):
        for path, each in phrases.items():
            yield from ((f"{table}.{path}", phrase) for phrase in each)


def plain(line: str) -> str:
    """Return the line without the marks that isolate a direction."""
    return re.sub("[\u2066-\u2069]", "", line)


# With brackets, commas and colons of full width, as in Japanese, and an Arabic comma.
COMMAS, OPENING, CLOSING = ",;.:\u060c\u3001\u3002\uff1a", "(\uff08", ")\uff09"
GAPS = re.compile(
    rf"None|[{{}}\[\]~]|[{OPENING}]\s*[{CLOSING}]|\s\s|[ ][{COMMAS}{CLOSING}]|[{COMMAS}][{COMMAS}]"
)
WHOLE = re.compile(rf"\w.*[\w'.\u3002{CLOSING}]")


def assert_well_formed(line: str) -> None:
    """Assert that no gap shows where a fact is missing, and that each isolate is closed."""
    assert not GAPS.search(line), line
    assert WHOLE.fullmatch(plain(line)), line
    depth = 0
    for character in line:
        depth += (character in "\u2066\u2067\u2068") - (character == "\u2069")
        assert depth >= 0
    assert depth == 0


def test_the_languages_are_those_that_are_promised() -> None:
    """Each by its tag of BCP 47; its file says whether a native speaker has read it."""
    assert set(LANGUAGES) == SCORES.keys()
    for language in LANGUAGES:
        file = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
        assert file["reviewed"] in (True, False)
    with pytest.raises(UnknownLanguage, match="xx"):
        draft(GOAL, "xx")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_can_be_told(language: str) -> None:
    """With all of its words, with those alone that it requires, and with no unknown word."""
    content = load_language(language)
    known = dict.fromkeys((*ALWAYS, *content.side, *content.kind["penalty_goal"]), "XX")
    for path, phrase in phrases_of(language):
        assert phrase.words <= known.keys(), path
        assert_well_formed(phrase.fill(known))
        assert_well_formed(phrase.fill(dict.fromkeys(phrase.required, "XX")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_tells_a_fact_twice(language: str) -> None:
    """In one form or in two, as a side by its name and as the home side."""
    content = load_language(language)
    forms = dict.fromkeys(content.side, "side") | {"clock": "when", "shootout_score": "score"}
    forms |= dict.fromkeys(content.kind["penalty_goal"], "kind")
    for path, phrase in phrases_of(language):
        words = re.findall(r"{(\w+)}", "".join(part for part, _ in phrase.parts))
        assert len(words) == len({forms.get(word, word) for word in words}), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_phrases_for_the_same_situations(language: str) -> None:
    """For a known and for an unknown player, with any fact missing."""
    content = load_language(language)
    assert {path for path, _ in phrases_of(language)} == {path for path, _ in phrases_of("en")}
    least = dict.fromkeys(("event_type", *content.kind.get("goal", ())), "XX")
    for phrases in (
        *(content.titles[path] for path in ("goal.plain", "own_goal.plain")),
        *(content.titles[path] for path in ("shootout_goal", "shootout_miss", "other")),
        *content.summaries.values(),
    ):
        assert any(phrase.fits(least.keys()) for phrase in phrases)
        assert any(phrase.fits({*least, "player"}) for phrase in phrases)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_for_a_goal_tells_a_penalty(language: str) -> None:
    """A penalty is never told as any goal, nor a goal as a penalty."""
    content = load_language(language)
    for goal in (GOAL, replace(GOAL, player=None)):
        words = {}
        for kind in ("goal", "penalty_goal"):
            facts = normalize(replace(goal, event_type=kind))
            words[kind] = words_of(facts, situation_of(facts), content)
        for path, phrase in phrases_of(language):
            if path.partition(".")[2].startswith("goal") and phrase.fits(words["goal"].keys()):
                assert phrase.fill(words["goal"]) != phrase.fill(words["penalty_goal"]), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_real_goals_are_told_rightly(language: str) -> None:
    """The score once and as it is, the minute once, the scorer once, and nothing else in digits."""
    for match in goals_of_matches():
        for goal in match:
            told = draft(goal, language)
            score = SCORES[language].format(goal.home_score, goal.away_score)
            score_line = f"{goal.home_team} {score} {goal.away_team}"
            clock = Counter(str(n) for n in (goal.minute, goal.added_time) if n)
            for line in (told.texts[language].title, told.texts[language].summary):
                assert_well_formed(line)
                before, _, after = plain(line).partition(score_line)
                rest = f"{before} {after}"
                assert score_line in plain(line)
                assert Counter(re.findall(r"\d+", rest.replace("1点", ""))) == clock
                assert rest.count(goal.player or "") == 1 or goal.player is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_real_goals_fit_a_push_notification(language: str) -> None:
    """In the style `short`; whatever else goes, a penalty, the scorer and the kind of goal stay."""
    penalties = load_language(language).kind["penalty_goal"].values()
    for match in goals_of_matches():
        for goal in match:
            text = draft(goal, language, style="short").texts[language]
            for line in (text.title, text.summary):
                assert len(line) <= LONGEST_SHORT
                assert_well_formed(line)
                assert (goal.player or "") in line
                assert goal.event_type != "penalty_goal" or any(word in line for word in penalties)


NAMES = st.text("Жж\u0301", min_size=1, max_size=80), st.text("Ωω", min_size=1, max_size=80)


@given(
    st.sampled_from(LANGUAGES),
    st.sampled_from(["goal", "own_goal", "penalty_goal", "shootout_miss", "yellow_card"]),
    *NAMES,
    st.text("한", min_size=1, max_size=80),
    st.sampled_from([None, *EFFECTS.values()]),
)
def test_a_short_text_has_names_whole_or_not_at_all(
    language: str, kind: str, player: str, home: str, away: str, score: tuple[int, int] | None
) -> None:
    """A name that is too long is left out, never cut in a word or in a character of several."""
    home_score, away_score = score or (None, None)
    facts = Facts(kind, "home", f"Ж{player}", home_team=home, away_team=away, minute=90,
                  added_time=4, home_score=home_score, away_score=away_score,
                  home_shootout_score=home_score, away_shootout_score=away_score,
                  description="Жж")  # fmt: skip
    text = draft(facts, language, style="short").texts[language]
    for line in (text.title, text.summary):
        assert 0 < len(line) <= LONGEST_SHORT
        for name in sorted((f"Ж{player}", home, away), key=len, reverse=True):
            line = re.sub(rf"(?<![ЖжΩω한\u0301]){name}(?![ЖжΩω한\u0301])", "", line)
        assert not re.search("[ЖжΩω한]", line)


def test_a_short_text_leaves_out_what_a_reader_misses_least() -> None:
    """First the assist and the minute, then the teams beside the score, and the player last."""
    goal = replace(GOAL, event_type="penalty_goal", home_score=1, away_score=1)
    assert title(goal, style="short") == ("Ann equalises for Argentina from the penalty spot: 1–1")
    assert title(replace(GOAL, minute=7), style="short") == title(replace(GOAL, minute=7))
    long = replace(GOAL, home_team="Saint Vincent and the Grenadines", player="Kylian Mbappé")
    assert title(long, style="short") == ("Kylian Mbappé opens the scoring: 1–0")
    assert title(replace(GOAL, player="N" * 128), style="short") == (
        "Goal puts Argentina ahead: Argentina 1–0 France, 36'"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_title_is_repeated_in_a_match_while_another_phrase_fits(language: str) -> None:
    """In all real matches; a penalty, told in the phrases of a goal, is told as one here."""
    content = load_language(language)
    for match in goals_of_matches():
        told = defaultdict(list)
        for each in match:
            goal = replace(each, event_type=each.event_type.replace("penalty_goal", "goal"))
            facts = normalize(goal)
            situation = situation_of(facts)
            if situation.effect is None:
                continue
            effect = situation.effect.name.lower()
            known = words_of(facts, situation, content).keys()
            for name in (f"{situation.section}.{situation.setting}.{effect}",
                         f"{situation.section}.{effect}"):  # fmt: skip
                if fitting := sum(p.fits(known) for p in content.titles.get(name, ())):
                    line = without_facts(title(goal, language), goal)
                    told[name, bool(facts.player), fitting].append(line)
                    break
        assert_varied(told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_goals_in_a_row_have_the_same_summary(language: str) -> None:
    """In all real matches, but for the names and numbers in it."""
    for match in goals_of_matches():
        summaries = [
            without_facts(draft(goal, language).texts[language].summary, goal) for goal in match
        ]
        assert all(told != after for told, after in pairwise(summaries)), summaries


@pytest.mark.parametrize("clock", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_kick_of_a_shoot_out_is_told_as_another_while_a_phrase_is_left(
    language: str, *, clock: bool
) -> None:
    """Of those that score; and of those that miss if the clock counts the kicks: 120+1, 120+2, ….

    Without such a clock no two that miss in a row are told alike.
    """
    content = load_language(language)
    for kicks in shoot_outs(clock=clock):
        for table, part in ((content.titles, "title"), (content.summaries, "summary")):
            lines = [
                without_facts(getattr(draft(kick, language).texts[language], part), kick)
                for kick in kicks
            ]
            told = defaultdict(list)
            for kick, line in zip(kicks, lines, strict=True):
                fitting = sum("player" in phrase.words for phrase in table[kick.event_type])
                if clock or kick.event_type == "shootout_goal":
                    told[kick.event_type, fitting].append(line)
            assert_varied(told)
            assert all(told != after for told, after in pairwise(lines)), lines


def assert_varied(told: Mapping[Any, Sequence[str]]) -> None:
    """Assert that no line is repeated while a phrase is left; a key ends with their number."""
    for (*_, fitting), lines in told.items():
        assert len({*lines}) >= min(len(lines), fitting), lines


def without_facts(line: str, facts: Facts) -> str:
    """Return a line with a letter for each name and number."""
    for name in filter(None, (facts.player, facts.home_team, facts.away_team)):
        line = line.replace(name, "X")
    return re.sub(r"\d+", "0", plain(line))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"minute": 84}, "Ann equalises for Argentina: Argentina 1–1 France, 84'"),
        ({"minute": 85}, "Ann equalises for Argentina late on: Argentina 1–1 France, 85'"),
        ({"minute": 90}, "Ann equalises for Argentina late on: Argentina 1–1 France, 90'"),
        (
            {"minute": 90, "added_time": 4},
            "Ann equalises for Argentina in added time: Argentina 1–1 France, 90+4'",
        ),
        ({"minute": 91}, "Ann equalises for Argentina: Argentina 1–1 France, 91'"),
        (
            {"minute": 91, "period": "extra_time_first"},
            "Ann equalises for Argentina in extra time: Argentina 1–1 France, 91'",
        ),
        (
            {"minute": 90, "added_time": 4, "home_score": 2},
            "Ann puts Argentina ahead in added time: Argentina 2–1 France, 90+4'",
        ),
    ],
)
def test_the_setting_of_a_goal_is_told_where_its_fields_prove_it(
    facts: dict[str, Any], expected: str
) -> None:
    """No field proves that a goal wins the match, so none is said to."""
    assert title(replace(GOAL, **{"home_score": 1, "away_score": 1, **facts})) == expected


def test_a_name_of_the_other_direction_is_isolated() -> None:
    """So that it changes the order of nothing beside it; a score in Arabic keeps its own order."""
    salah = replace(GOAL, player=SALAH, home_team=AHLY)
    in_arabic = title(salah, "ar")
    assert title(salah) == (
        f"\u2068{SALAH}\u2069 opens the scoring: \u2068{AHLY}\u2069 1–0 France, 36'"
    )
    assert in_arabic.startswith(f"{SALAH} ")
    assert f": {AHLY} 1–0 \u2068France\u2069" in in_arabic
    assert ": \u20661-0\u2069" in title(replace(GOAL, home_team=None), "ar")
    assert title(GOAL, "ar").startswith("\u2068Ann\u2069 ")


def test_a_draft_has_a_text_in_each_language() -> None:
    """In one call."""
    told = draft(GOAL, "de", "ja")
    assert [*told.texts] == ["de", "ja"]
    assert told.texts["de"].title == "Ann bringt Argentina in Führung: Argentina 1:0 France (36.)"


def test_a_known_type_of_event_is_told_in_the_language() -> None:
    """Another one in the words of the feed."""
    assert title(Facts("yellow_card", "home", "Ann"), "de") == "Heimteam: Gelbe Karte, Ann"
    assert title(Facts("drone_on_pitch"), "de") == "Drone on pitch"


def test_a_word_has_the_form_that_its_place_asks_for() -> None:
    """A dative in German, the singular of the first minute in Portuguese."""
    own_goal = Facts("own_goal", "home", minute=1, home_score=1, away_score=1)
    assert title(own_goal, "de") == "Eigentor bringt dem Heimteam den Ausgleich: 1:1 (1.)"
    for minute, when in ((1, "com 1 minuto"), (2, "aos 2 minutos")):
        text = draft(replace(own_goal, minute=minute), "pt-BR").texts["pt-BR"]
        assert f" {when}," in text.summary or f" {when} " in text.summary


def test_each_word_of_the_phrases_is_explained_to_translators() -> None:
    """In the page that tells how to add a language."""
    words = {word for language in LANGUAGES for _, phrase in phrases_of(language)
             for word in phrase.words & ALWAYS}  # fmt: skip
    page = section("CONTRIBUTING.md", "Add or correct a language")
    assert words | {"player"} <= set(re.findall(r"`\{(\w+)\}`", page))
