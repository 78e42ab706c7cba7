"""The guard on single points: names, the description, styles, languages, its page."""

import asyncio
import json
import re
from dataclasses import fields, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from functions.enrich_batch.enricher import EnrichmentTask, Refusal, Style, normalize
from functions.enrich_batch.guard import LONGEST, RULES, check
from functions.enrich_batch.guard.claims import CLAIMS
from functions.enrich_batch.guard.lexicon import (
    REFUSED,
    RELATIONS,
    WORDS,
    build_lexicon,
    lexicon_of,
)
from functions.enrich_batch.template.language import LANGUAGES
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.shared.contract.highlight import Facts, HighlightText
from tests.support.goals import goals_of_matches
from tests.support.pages import rows, section

FACTS = Facts(
    "goal",
    team="home",
    player="Ángel Di María",
    minute=36,
    home_team="Argentina",
    away_team="France",
    home_score=2,
    away_score=0,
)


def codes(title: str, facts: Facts = FACTS, language: str = "en", **more: Any) -> set[str]:
    """Return the codes for which a title is refused with a summary."""
    text = HighlightText(title, more.pop("summary", "A goal."))
    return {refusal.code for refusal in check(text, facts, language, **more)}


def scores(player: str, name: str) -> set[str]:
    """Return the codes for which it is refused that a player scores by that name."""
    return codes(f"{name} scores", Facts("goal", player=player))


@pytest.mark.parametrize(
    ("player", "name"),
    [
        ("Ángel Di María", "Angel Di Maria"),
        ("ANGEL DI MARIA", "Ángel di María"),
        ("Robert Lewandowski", "LEWANDOWSKI"),
        ("Martin Ødegaard", "Odegaard"),
        ("Łukasz Piszczek", "Lukasz Piszczek"),
        ("Großkreutz", "Grosskreutz"),
        ("Salem Al-Dawsari", "Al Dawsari"),
        ("N'Golo Kanté", "N\u2019Golo Kante"),
        ("\uff2b\uff41\uff4b\uff41", "Kaka"),
        ('Edson "Pelé" Arantes', 'Edson "Pelé" Arantes'),
        ('Edson "Pelé" Arantes', "Pelé"),
        ("🐐", "🐐"),
        ("محمد صلاح", "صلاح"),
        ("Андрей Аршавин", "Аршавин"),
        ("손흥민", "손흥민"),
        ("三笘薫", "三笘"),
        ("Null", "Null"),
    ],
)
def test_a_name_is_known_in_each_of_its_spellings(player: str, name: str) -> None:
    """In any case, with and without diacritics, or a part of it."""
    assert scores(player, name) == set()


@pytest.mark.parametrize(
    ("player", "name"),
    [
        ("Di María", "Di Mario"),
        ("Müller", "Mùller"),
        ("Messi", "\u041cessi"),
        ("Kane", "Kaane"),
        ("Son", "Sonny"),
        ("遠藤航", "遠藤舟"),
        ("ガ", "カ"),
        ("James Ward-Prowse", "Ward-Prouse"),
    ],
)
def test_a_name_that_is_only_alike_is_refused(player: str, name: str) -> None:
    """One letter, a letter of another script or another diacritic makes another name."""
    assert scores(player, name) == {"name"}


def test_a_name_of_numbers_is_no_other_number() -> None:
    """Schalke 04 is a name, and 04 alone is none."""
    facts = Facts("goal", team="Schalke 04", player="Didier Six")
    assert codes("Six scores for Schalke 04", facts) == set()
    assert codes("Six scores 04", facts) == {"number"}


def test_what_was_found_is_said() -> None:
    """For the editor, and for the model that tries again."""
    text = HighlightText("Messi scores", "A goal in the 37th minute.")
    assert check(text, FACTS, "en") == (Refusal("name", "Messi"), Refusal("minute", "37"))


@pytest.mark.parametrize("mark", ["", "."])
def test_a_summary_may_end_with_the_description_where_that_is_allowed(mark: str) -> None:
    """Word for word, and only there; nothing in it is known elsewhere."""
    facts = replace(FACTS, description="Curled in from a Messi pass, in Lusail")
    told: dict[str, Any] = {"summary": f"A goal for Argentina. {facts.description}{mark}"}
    assert codes("Di María scores", facts, **told) >= {"name"}
    assert codes("Di María scores", facts, allow_description=True, **told) == set()
    assert codes("Messi scores", facts, allow_description=True, **told) == {"name"}
    changed: dict[str, Any] = {"summary": f"A goal for Argentina. {facts.description} Stadium"}
    assert codes("Di María scores", facts, allow_description=True, **changed) >= {"name"}


def test_the_description_alone_is_a_summary() -> None:
    """A title is needed beside it."""
    facts = replace(FACTS, description="Curled in")
    assert codes("A goal", facts, summary="Curled in.", allow_description=True) == set()
    assert codes("", facts, summary="Curled in.", allow_description=True) == {"empty"}


def test_a_short_text_is_for_a_push_notification() -> None:
    """At most 65 characters, while long names do not make a neutral title too long."""
    player = "Johannes Chrysostomus Wolfgangus Theophilus Mozart the Younger of Salzburg"
    facts = Facts("goal", player=player)
    title = f"A goal by {player}"
    assert codes(title, facts, style="short") == {"length"}
    assert codes(title, facts) == set()
    assert LONGEST["short"] == (65, 65)


def test_a_summary_is_its_title_again_only_where_there_is_no_room_or_no_more_to_tell() -> None:
    """In the style `short`, or of an event whose minute is not known."""
    again = "Di María scores for Argentina"
    assert codes(again, summary=f"{again}.") == {"repeated"}
    assert codes(again, summary=f"{again}.", style="short") == set()
    assert codes(again, replace(FACTS, minute=None), summary=f"{again}.") == set()


@pytest.mark.parametrize("path", sorted(WORDS.glob("*.toml")), ids=lambda path: path.stem)
def test_each_language_has_all_that_the_guard_asks_for(path: Any) -> None:
    """Words of each table, and of each claim but those that a language has in one."""
    lexicon = lexicon_of(path.stem)
    named = {code for terms in lexicon.terms.values() for term in terms for code in term.codes}
    assert named >= CLAIMS.keys() - {"assist", "leads_again"} | {*REFUSED, *RELATIONS} - {"who"}
    assert lexicon.minute_after
    assert {*range(11)} <= {*lexicon.numbers.values()} or path.stem == "ja"


@pytest.mark.parametrize(("tag", "same"), [("pt", "pt-BR"), ("de-AT", "de"), ("EN-gb", "en")])
def test_a_language_is_found_by_its_first_subtag(tag: str, same: str) -> None:
    """There is one vocabulary of each language."""
    assert lexicon_of(tag).words == lexicon_of(same).words


def test_an_unknown_language_is_an_error() -> None:
    """No text of it could be examined."""
    with pytest.raises(LookupError, match="tlh"):
        check(HighlightText("Qapla'", "Qapla'"), FACTS, "tlh")


def test_words_of_the_phrases_are_known_and_claim_what_they_did() -> None:
    """A phrase of the template makes no word of a claim free."""
    words = {"vocabulary": {"words": "for"}, "claims": {"equalises": ["equalises"]}}
    phrases = {"name": "English", "title": {"goal": ["{player} boldly equalises[ for {side}]"]}}
    lexicon = build_lexicon([words, phrases])
    codes_of = {term.words: term.codes for terms in lexicon.terms.values() for term in terms}
    assert codes_of == {
        ("for",): frozenset(),
        ("boldly",): frozenset(),
        ("equalises",): frozenset({"equalises"}),
    }


def test_a_code_that_no_rule_knows_is_an_error() -> None:
    """A translator's slip would make a claim free."""
    with pytest.raises(ValueError, match="equalizes"):
        build_lexicon([{"claims": {"equalizes": ["level"]}}])


@pytest.mark.parametrize("style", ["neutral", "short"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_template_passes_for_all_real_goals(language: str, style: Style) -> None:
    """The guard is no excuse for a wrong phrase: it would leave a goal without a text."""
    for match in goals_of_matches():
        for goal in match:
            task = EnrichmentTask(normalize(goal), (language,), style)
            text = asyncio.run(TemplateEnricher().enrich(task)).texts[language]
            found = check(text, task.facts, language, style, allow_description=True)
            assert found == (), text


ODD_FACTS = [
    Facts(
        type_, team, player, assist, minute=minute,
        home_team=home, away_team=away, home_score=goals, away_score=conceded,
    )
    for type_, team, (player, assist), minute, (home, away, conceded), goals in product(
        ("goal", "own_goal", "penalty_goal", "shootout_goal", "shootout_miss", "red card", "?!⚽"),
        ("home", "A Team", None),
        ((None, None), ("Bo Li", "Al Ko")),
        (None, 47),
        ((None, None, None), ("Reds", "Blues", 1)),
        (None, 2),
    )
]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_template_passes_whatever_is_unknown(language: str) -> None:
    """An event of any type, with few facts or many, is told in a text that tells something."""
    for facts, style in product(ODD_FACTS, LONGEST):
        task = EnrichmentTask(normalize(facts), (language,), style)
        text = asyncio.run(TemplateEnricher().enrich(task)).texts[language]
        assert check(text, task.facts, language, style) == (), text


@given(st.text(), st.text(), st.sampled_from(["en", "ar", "ja"]))
def test_any_text_is_examined(title: str, summary: str, language: str) -> None:
    """Whatever a model sends, without an error."""
    check(HighlightText(title, summary), FACTS, language)


@given(st.text(), st.text(), st.text())
def test_any_facts_are_examined(team: str, player: str, event_type: str) -> None:
    """Whatever a feed sends, without an error."""
    check(HighlightText(player, team), Facts(event_type, team=team, player=player), "en")


def test_the_page_has_the_rules_and_the_claims() -> None:
    """In their order, with the sentences of the code."""
    guard = rows(section("docs/enrichment.md", "Fact guard"), "| code | rule |")
    assert guard == [[f"`{rule.code}`", rule.sentence] for rule in RULES]
    claims = rows(section("docs/enrichment.md", "Claims"), "| code | what the event must be |")
    assert claims == [[f"`{code}`", claim.sentence] for code, claim in CLAIMS.items()]


def test_the_answer_on_the_page_of_enrichers_passes() -> None:
    """For the facts of its request, in both languages."""
    page = section("docs/enrichers.md", "Any other endpoint")
    asked, answered = map(json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    names = {to_camel(field.name): field.name for field in fields(Facts)}
    facts = Facts(**{names[name]: value for name, value in asked.items() if name in names})
    texts = {asked["languages"][0]: answered, **answered["texts"]}
    assert [*texts] == asked["languages"]
    for language, text in texts.items():
        said = HighlightText(text["title"], text["summary"])
        assert check(said, normalize(facts), language, asked["style"]) == ()
