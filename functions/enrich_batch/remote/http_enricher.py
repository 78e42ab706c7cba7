"""An enricher that posts the facts to any endpoint, which answers with the texts."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from functions.enrich_batch.enricher import Draft, EnrichmentRefused, EnrichmentTask
from functions.enrich_batch.one_line import one_line
from functions.enrich_batch.remote.endpoint import Endpoint
from functions.enrich_batch.remote.facts import facts_document, refusals_document
from functions.enrich_batch.remote.texts import texts_by_language, thumbnail_url
from functions.shared.contract.highlight import HighlightText

MAX_REASON = 200  # characters


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    success: bool
    title: Any = None
    summary: Any = None
    texts: Mapping[str, Any] | None = None
    thumbnail_url: Any = None
    failure_reason: Any = None


class HttpEnricher:
    """Asks an endpoint that answers {success, title, summary, texts, thumbnailUrl, failureReason}.

    `title` and `summary` are in the first language; `texts` may hold all of them by language.
    """

    def __init__(self, endpoint: Endpoint, *, sends_description: bool = False) -> None:
        self._endpoint = endpoint
        self._sends_description = sends_description

    async def enrich(self, task: EnrichmentTask) -> Draft:
        """Return the texts that the endpoint answers."""
        answer = await self._endpoint.post(self._document(task))
        try:
            answered = _Answer.model_validate_json(answer.body)
        except ValidationError:
            raise EnrichmentRefused("the answer is not of the agreed form") from None
        if not answered.success:
            raise EnrichmentRefused(self._reason(answered.failure_reason))
        return Draft(
            _texts(answered, task.languages), "http", thumbnail_url(answered.thumbnail_url)
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoint.close()

    def _document(self, task: EnrichmentTask) -> dict[str, object]:
        return {
            **facts_document(task.facts, with_description=self._sends_description),
            "languages": task.languages,
            "style": task.style,
            "refusals": refusals_document(task.refusals),
        }

    def _reason(self, answered: object) -> str:
        """Return a stranger's reason on one short line."""
        line = one_line(answered) if isinstance(answered, str) else None
        reason = self._endpoint.redact(line or "without a reason")
        return f"the endpoint refuses: {reason[:MAX_REASON]}"


def _texts(answered: _Answer, languages: tuple[str, ...]) -> dict[str, HighlightText]:
    written = {**(answered.texts or {})}
    if answered.title is not None:
        written.setdefault(languages[0], {"title": answered.title, "summary": answered.summary})
    try:
        texts = texts_by_language(written, languages)
    except ValidationError:
        raise EnrichmentRefused("the answer's texts are not of the agreed form") from None
    if not texts:
        raise EnrichmentRefused("the answer has no text")
    return texts
