"""The tries of a model at one highlight, and the text that is published in the end."""

from dataclasses import dataclass, replace

from functions.enrich_batch.enricher import (
    Enricher,
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
    """Ask the enricher at most three times, each time with the refusals before; then the template.

    Raises:
        EnricherUnavailable: the model does not answer.
    """
    task, tries, tokens = EnrichmentTask(facts, (LANGUAGE,)), [], 0
    for _ in range(TRIES):
        try:
            draft = await enricher.enrich(task)
        except EnrichmentRefused as refused:
            tokens += refused.tokens
            refusals: tuple[Refusal, ...] = (Refusal("no_text", refused.reason),)
            tries.append(Try(None, refusals))
            task = replace(task, refusals=refusals)
            continue
        text, tokens = draft.texts[LANGUAGE], tokens + draft.tokens
        tries.append(Try(text, ()))
        return Published(text, draft.written_by, tokens, tuple(tries))
    draft = await template.enrich(task)
    return Published(draft.texts[LANGUAGE], draft.written_by, tokens, tuple(tries))
