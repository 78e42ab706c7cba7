"""Review: no text is published that was refused, and a writer is told why."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.enrich_batch.enricher import Draft, EnrichmentRefused, EnrichmentTask, Refusal, Style
from functions.enrich_batch.review import FALLBACKS, REFUSED, NothingPublishable, Reviewer
from functions.enrich_batch.template.language import LANGUAGES
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.shared.contract.event_types import GOAL_TYPES
from functions.shared.contract.highlight import Enrichment, Facts, HighlightText
from functions.shared.contract.team_names import Side
from tests.support.fakes.endpoint import no_rumours

FACTS = Facts("own_goal", player="Sa\u00efss\u200b")
Written = str | Exception


class Scripted:
    """An enricher whose titles, or errors, are given."""

    def __init__(self, *written: Written, name: str = "model:m", languages: str = "en de") -> None:
        self.tasks: list[EnrichmentTask] = []
        self._written = iter(written)
        self._name = name
        self._languages = languages.split()

    async def enrich(self, task: EnrichmentTask) -> Draft:
        """Return the next text."""
        self.tasks.append(task)
        written = next(self._written)
        if isinstance(written, Exception):
            raise written
        text = HighlightText(written, "A goal.")
        return Draft(dict.fromkeys(self._languages, text), self._name, tokens=10)


def template(*titles: str) -> Scripted:
    """An enricher like the template."""
    return Scripted(*titles or ("template",), name="template")


def review(
    enricher: Scripted | None, by_template: Scripted, languages: tuple[str, ...] = ("en",)
) -> Enrichment:
    """Return the reviewed text of some facts."""
    reviewer = Reviewer(by_template, enricher, guard=no_rumours, languages=languages)
    return asyncio.run(reviewer.review(FACTS))


def test_a_text_that_passes_is_published_at_the_first_try() -> None:
    """With who wrote it and the tokens that it took."""
    model, by_template = Scripted("fact"), template()
    text = HighlightText("fact", "A goal.")
    assert review(model, by_template) == Enrichment({"en": text}, "model:m", tokens=10)
    assert not by_template.tasks


def test_a_writer_is_told_why_its_text_was_refused() -> None:
    """And the highlight says that one was."""
    model = Scripted("rumour", "fact")
    written = review(model, template())
    assert [task.refusals for task in model.tasks] == [(), (Refusal("rumour", "rumour"),)]
    assert (written.text.title, written.refused, written.tokens) == ("fact", ("rumour",), 20)


def test_after_three_refused_texts_the_template_writes() -> None:
    """A code is named once; both are counted."""
    counted = FALLBACKS.value, REFUSED.value
    model = Scripted("rumour", EnrichmentRefused("I cannot help with that.", 5), "rumour", "fact")
    written = review(model, template())
    assert (written.text.title, written.enriched_by) == ("template", "template")
    assert written.refused == ("rumour", "no_text")
    assert (len(model.tasks), written.tokens) == (3, 10 + 5 + 10 + 10)
    assert (FALLBACKS.value - counted[0], REFUSED.value - counted[1]) == (1, 3)


def test_nothing_is_published_if_the_template_is_refused_too() -> None:
    """Rather no text than a wrong one; it is tried without names too."""
    for enricher in (None, Scripted(*["rumour"] * 3)):
        by_template = template("rumour", "rumour")
        with pytest.raises(NothingPublishable, match="rumour"):
            review(enricher, by_template)
        assert by_template.tasks[-1].facts == Facts("own goal")


NAMES = st.none() | st.text(max_size=12) | st.sampled_from(
    ["7", "#1", "0-0", "23'", "null", "Goal", "home", "www.evil.example", "a@b.com", "<b>", "100%",
     "\u202eabc", "[[TEAM]]", "one", "Argentina", "St. Pauli", "in", "x" * 128]
)  # fmt: skip


@given(st.sampled_from([*GOAL_TYPES, "shootout_miss", "yellow_card"]) | st.text(max_size=12),
       st.sampled_from(["home", "away", None]), *[NAMES] * 5, st.integers(0, 120),
       st.sampled_from([(1, 0), (1, 1), (2, 3), (None, None)]),
       st.sampled_from(["neutral", "short"]))  # fmt: skip
def test_no_goal_remains_without_a_text_for_its_names(
    type_: str,
    side: Side | None,
    player: str | None,
    assist: str | None,
    home: str | None,
    away: str | None,
    description: str | None,
    minute: int,
    score: tuple[int | None, int | None],
    style: Style,
) -> None:
    """In any language, whatever the feed calls a player, a team or a type."""
    facts = Facts(
        type_,
        side,
        player,
        assist,
        description,
        minute=minute,
        home_team=home,
        away_team=away,
        home_score=score[0],
        away_score=score[1],
    )
    reviewer = Reviewer(TemplateEnricher(), languages=LANGUAGES, style=style)
    written = asyncio.run(reviewer.review(facts))
    assert {*written.texts} == {*LANGUAGES}


@pytest.mark.parametrize(
    ("languages", "wanted", "refused"),
    [
        (("de",), "en", ("missing_language",)),
        (("de", "en"), "en", ("missing_language",)),
        (("de",), "de en", ()),
    ],
)
def test_a_text_in_every_language_is_wanted(
    languages: tuple[str, ...], wanted: str, refused: tuple[str, ...]
) -> None:
    """The first is that of title and summary; what nobody asked for is not published."""
    model = Scripted(*["fact"] * 3, languages=wanted)
    written = review(model, template(), languages=languages)
    assert (tuple(written.texts), written.refused) == (languages, refused)


def test_the_texts_of_all_languages_are_checked() -> None:
    """A wrong one among them refuses all."""
    seen: list[str] = []

    def guard(
        text: HighlightText, facts: Facts, language: str, style: Style, *, allow_description: bool
    ) -> list[Refusal]:
        del text, facts, style, allow_description
        seen.append(language)
        return [Refusal("name", "x")] if language == "de" and len(seen) < 3 else []

    reviewer = Reviewer(
        template(),
        Scripted("a", "b"),
        guard=guard,
        languages=("en", "de"),
    )
    assert asyncio.run(reviewer.review(FACTS)).refused == ("name",)
    assert seen == ["en", "de"] * 2


def test_facts_are_normalized_for_writer_and_guard() -> None:
    """Words instead of codes, and nothing invisible."""
    model = Scripted("fact")
    review(model, template())
    assert model.tasks[0].facts == Facts("own goal", player="Sa\u00efss")


def test_a_text_may_be_there_for_the_time_being() -> None:
    """It is the template's, and guarded too."""
    reviewer = Reviewer(template(), Scripted(), guard=no_rumours)
    written = asyncio.run(reviewer.fall_back(FACTS, provisional=True))
    assert (written.enriched_by, written.provisional) == ("template", True)
    with pytest.raises(NothingPublishable):
        asyncio.run(
            Reviewer(template("rumour", "rumour"), Scripted(), guard=no_rumours).fall_back(FACTS)
        )


GOAL = Facts("goal", "Argentina", "Messi", description="Into the corner.", minute=23)


@pytest.mark.parametrize(
    ("by", "summary", "languages", "facts", "holds"),
    [
        ("model:m", "Messi scores.", "en", GOAL, True),
        ("model:m", "Messi scores.", "en", replace(GOAL, event_type="own_goal"), False),
        ("model:m", "Messi scores in the 23rd minute.", "en", replace(GOAL, minute=22), False),
        ("model:m", "Messi scores.", "en de", GOAL, False),
        ("model:m", "Messi scores. Into the corner.", "en", GOAL, False),
        ("template", "Messi scores. Into the corner.", "en", GOAL, True),
        (
            "template",
            "Messi scores. Into the corner.",
            "en",
            replace(GOAL, description="In."),
            False,
        ),
    ],
)
def test_an_old_text_is_checked_like_a_new_one(
    by: str, summary: str, languages: str, facts: Facts, holds: bool
) -> None:
    """In each language that is wanted; only the template's may end with the description."""
    reviewer = Reviewer(template(), languages=tuple(languages.split()))
    texts = {tag: HighlightText("Messi scores", summary) for tag in ("en", "fr")}
    former = Enrichment(texts, by, ("name",), "https://pictures.example/messi.jpg", 5)
    kept = Enrichment({"en": texts["en"]}, by) if holds else None
    assert reviewer.recheck(former, facts) == kept
