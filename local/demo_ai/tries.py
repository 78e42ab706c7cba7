"""The tries of a model at one highlight, and the text that is published in the end."""

from dataclasses import dataclass, replace

from functions.enrich_batch.enricher import (
    Enricher,
    EnricherUnavailable,
    EnrichmentRefused,
    EnrichmentTask,
    Refusal,
)
from functions.shared.contract.highlight import Facts, HighlightText

LANGUAGE = "en"
TRIES = 3


@dataclass(frozen=True)
class Try:
    """What the model wrote, if it did, and why that was refused; nothing if it was taken."""

    text: HighlightText | None
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True)
class Published:
    """The text that is published, who wrote it, and the tries before."""

    text: HighlightText
    written_by: str
    tokens: int
    tries: tuple[Try, ...]


async def publish(enricher: Enricher, template: Enricher, facts: Facts) -> Published:
    """Ask the enricher at most three times, with the refusals before; then the template."""
    task, tokens = EnrichmentTask(facts, (LANGUAGE,)), 0
    tries: list[Try] = []
    while len(tries) < TRIES:
        text: HighlightText | None = None
        refusals: tuple[Refusal, ...] = ()
        try:
            draft = await enricher.enrich(task)
        except EnrichmentRefused as refused:
            tokens += refused.tokens
            refusals = (Refusal("no_text", refused.reason),)
        except EnricherUnavailable as away:
            refusals = (Refusal("away", str(away)),)
        else:
            text, tokens = draft.texts[LANGUAGE], tokens + draft.tokens
        tries.append(Try(text, refusals))
        if text and not refusals:
            return Published(text, draft.written_by, tokens, tuple(tries))
        task = replace(task, refusals=refusals)
    draft = await template.enrich(task)
    return Published(draft.texts[LANGUAGE], draft.written_by, tokens, tuple(tries))
