"""Review of texts: each is checked against the facts before it may be published."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from functions.enrich_batch.enricher import (
    Draft,
    Enricher,
    EnricherUnavailable,
    EnrichmentRefused,
    EnrichmentTask,
    Refusal,
    Style,
    normalize,
    without_names,
)
from functions.enrich_batch.guard import check
from functions.shared.contract.highlight import Enrichment, Facts, HighlightText
from functions.shared.errors import GoalStreamError
from functions.shared.observability.metrics import Counter

TRIES = 3  # of an enricher that is not the template
LONGEST_LOGGED = 100  # characters of what a text was refused for

# Refusals of what never reaches the guard.
NO_TEXT = "no_text"
MISSING_LANGUAGE = "missing_language"

REFUSED = Counter("enrich_batch_texts_refused_total", "Texts that were refused.", label="code")
FALLBACKS = Counter(
    "enrich_batch_fallbacks_total",
    "Highlights with the template's text after all others were refused.",
)

log = logging.getLogger(__name__)


class Guard(Protocol):
    """Finds what a text says that the facts do not."""

    def __call__(
        self,
        text: HighlightText,
        facts: Facts,
        language: str,
        style: Style,
        *,
        allow_description: bool,
    ) -> Sequence[Refusal]:
        """Return the reasons to refuse a text; none if it may be published."""


class NothingPublishable(GoalStreamError):
    """Every text was refused, that of the template too."""


class Reviewer:
    """Has texts written until one in every language passes the guard.

    `enricher` is told why its text was refused, and tries twice again; then the template writes.
    Without an enricher, the template does so at once. Where the guard mistakes a name, as that of a
    team called 7, the template leaves out all names. `languages` are tags of BCP 47, the first of
    which is that of title and summary.
    """

    def __init__(
        self,
        template: Enricher,
        enricher: Enricher | None = None,
        *,
        guard: Guard = check,
        languages: tuple[str, ...] = ("en",),
        style: Style = "neutral",
    ) -> None:
        self._template = template
        self._writers = (template,) if enricher is None else (enricher,) * TRIES + (template,)
        self._guard = guard
        self._languages = languages
        self._style = style

    async def review(self, facts: Facts) -> Enrichment:
        """Return the first texts for these facts that may be published.

        Raises:
            EnricherUnavailable: the enricher's endpoint is away.
            NothingPublishable: the guard refused every text.
        """
        return await self._first_publishable(facts, self._writers)

    async def fall_back(self, facts: Facts, *, provisional: bool = False) -> Enrichment:
        """Return the texts of the template, which may be there for the time being.

        Raises:
            NothingPublishable: the guard refused it.
        """
        texts = await self._first_publishable(facts, (self._template,))
        return replace(texts, provisional=provisional)

    def recheck(self, former: Enrichment, facts: Facts) -> Enrichment | None:
        """Return texts of other facts, in the languages that are wanted, if they are true of these.

        A picture is not kept, as nothing tells whether it is still the right one.
        """
        draft = Draft(former.texts, former.enriched_by)
        task = EnrichmentTask(normalize(facts), self._languages, self._style)
        is_template = former.enriched_by == "template"
        if any(True for _ in self._refusals(draft, task, is_template=is_template)):
            return None
        return self._enrichment(draft, (), 0)

    async def _first_publishable(self, facts: Facts, writers: Sequence[Enricher]) -> Enrichment:
        known = normalize(facts)
        tries = [*((writer, known) for writer in writers), (self._template, without_names(known))]
        refusals: tuple[Refusal, ...] = ()
        codes: dict[str, None] = {}  # in the order of the tries
        tokens = 0
        for writer, told in tries:
            task = EnrichmentTask(told, self._languages, self._style, refusals)
            try:
                draft = await writer.enrich(task)
            except EnricherUnavailable as away:
                away.after_refusal = bool(codes)
                raise
            except EnrichmentRefused as refused:
                tokens += refused.tokens
                refusals = (Refusal(NO_TEXT, refused.reason),)
            else:
                tokens += draft.tokens
                refusals = tuple(self._refusals(draft, task, is_template=writer is self._template))
                if not refusals:
                    if codes and writer is self._template:
                        FALLBACKS.increment()
                    return self._enrichment(draft, tuple(codes), tokens)
            _note(refusals)
            codes |= dict.fromkeys(each.code for each in refusals)
        raise NothingPublishable(f"Every text was refused: {', '.join(codes)}.")

    def _refusals(
        self, draft: Draft, task: EnrichmentTask, *, is_template: bool
    ) -> Iterable[Refusal]:
        for language in self._languages:
            text = draft.texts.get(language)
            if text is None:
                yield Refusal(MISSING_LANGUAGE, language)
            else:
                yield from self._guard(
                    text, task.facts, language, self._style, allow_description=is_template
                )

    def _enrichment(self, draft: Draft, refused: tuple[str, ...], tokens: int) -> Enrichment:
        texts = {language: draft.texts[language] for language in self._languages}
        return Enrichment(texts, draft.written_by, refused, draft.thumbnail_url, tokens)


def _note(refusals: Iterable[Refusal]) -> None:
    for each in refusals:
        REFUSED.increment(of=each.code)
        fields = {"code": each.code, "found": each.found[:LONGEST_LOGGED]}
        log.info("text refused", extra={"fields": fields})
