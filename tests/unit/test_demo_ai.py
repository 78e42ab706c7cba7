"""The tries that make demo-ai shows, and the text that is published after them."""

import asyncio

import pytest

from functions.enrich_batch.enricher import (
    Draft,
    EnricherUnavailable,
    EnrichmentRefused,
    EnrichmentTask,
    Refusal,
)
from functions.enrich_batch.template import TemplateEnricher
from functions.shared.contract.highlight import Facts, HighlightText
from local.demo_ai.tries import Published, Try, publish

FACTS = Facts("goal", team="home", player="Messi")
TEXT = HighlightText("Messi scores", "Messi scores.")
GOOD = Draft({"en": TEXT}, "model:small", tokens=10)
CUT_OFF = EnrichmentRefused("the answer was cut off", tokens=7)
AWAY = EnricherUnavailable("the endpoint does not answer in time")


class ScriptedEnricher:
    """An enricher that gives these answers, one after another; it keeps the tasks."""

    def __init__(self, *answers: Draft | Exception) -> None:
        self.answers = list(answers)
        self.tasks: list[EnrichmentTask] = []

    async def enrich(self, task: EnrichmentTask) -> Draft:
        """Return or raise the next answer."""
        self.tasks.append(task)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def published(enricher: ScriptedEnricher) -> Published:
    """Return what is published of these answers."""
    return asyncio.run(publish(enricher, TemplateEnricher(), FACTS))


def test_a_text_that_is_taken_is_published() -> None:
    """With its one try."""
    assert published(ScriptedEnricher(GOOD)) == Published(TEXT, "model:small", 10, (Try(TEXT, ()),))


@pytest.mark.parametrize(
    ("error", "refusal", "tokens"),
    [
        (CUT_OFF, Refusal("no_text", "the answer was cut off"), 17),
        (AWAY, Refusal("away", "the endpoint does not answer in time"), 10),
    ],
)
def test_a_refusal_is_told_to_the_next_try(error: Exception, refusal: Refusal, tokens: int) -> None:
    """And its tokens count."""
    enricher = ScriptedEnricher(error, GOOD)
    assert published(enricher) == Published(
        TEXT, "model:small", tokens, (Try(None, (refusal,)), Try(TEXT, ()))
    )
    assert [task.refusals for task in enricher.tasks] == [(), (refusal,)]


def test_after_three_tries_the_template_writes() -> None:
    """All of them are shown."""
    result = published(ScriptedEnricher(CUT_OFF, CUT_OFF, CUT_OFF, GOOD))
    assert (result.written_by, result.tokens, len(result.tries)) == ("template", 21, 3)
    assert "Messi" in result.text.title
