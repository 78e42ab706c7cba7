"""The tries of a model at a highlight, recorded while the reviewer of enrich-batch asks it."""

from dataclasses import dataclass

from functions.enrich_batch.enricher import (
    Draft,
    Enricher,
    EnrichmentRefused,
    EnrichmentTask,
    Refusal,
    Style,
)
from functions.enrich_batch.guard import check
from functions.enrich_batch.review import NO_TEXT, Reviewer
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.shared.contract.highlight import Enrichment, Facts, HighlightText


@dataclass(frozen=True)
class Try:
    """The text that the model wrote, if it did, and why that was refused; nothing if it was not."""

    text: HighlightText | None
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True)
class Result:
    """The text that is published of a highlight, and the tries of the model before."""

    published: Enrichment
    tries: tuple[Try, ...]

    @property
    def taken_at(self) -> int | None:
        """The number of the try that was taken, from 1; None if the template wrote the text."""
        return len(self.tries) if not self.tries[-1].refusals else None


class RecordingReviewer:
    """Reviews the texts of an enricher as enrich-batch does, and records each try."""

    def __init__(self, enricher: Enricher) -> None:
        self._enricher = enricher
        self._reviewer = Reviewer(TemplateEnricher(), self, guard=self._check)
        self._tries: list[Try] = []

    async def review(self, facts: Facts) -> Result:
        """Return what is published of these facts.

        Raises:
            EnricherUnavailable: the model does not answer.
        """
        self._tries = []
        published = await self._reviewer.review(facts)
        return Result(published, tuple(self._tries))

    async def enrich(self, task: EnrichmentTask) -> Draft:
        """Return the draft of the enricher; record that there is none."""
        try:
            return await self._enricher.enrich(task)
        except EnrichmentRefused as refused:
            self._tries.append(Try(None, (Refusal(NO_TEXT, refused.reason),)))
            raise

    def _check(
        self,
        text: HighlightText,
        facts: Facts,
        language: str,
        style: Style,
        *,
        allow_description: bool,
    ) -> tuple[Refusal, ...]:
        """Check a text with the guard; record it if it is the model's."""
        refusals = check(text, facts, language, style, allow_description=allow_description)
        if not allow_description:  # only the template may tell the description
            self._tries.append(Try(text, refusals))
        return refusals
