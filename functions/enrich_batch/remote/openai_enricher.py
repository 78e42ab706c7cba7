"""An enricher that asks a model at any endpoint with OpenAI's chat completions."""

from functions.enrich_batch.enricher import Draft, EnrichmentRefused, EnrichmentTask
from functions.enrich_batch.remote.completion import texts_in, tokens_used
from functions.enrich_batch.remote.endpoint import Endpoint
from functions.enrich_batch.remote.example import example_of
from functions.enrich_batch.remote.prompt import Example, messages
from functions.enrich_batch.template.template_enricher import TemplateEnricher


class OpenAIEnricher:
    """Asks for JSON in the strictest way that the endpoint accepts, and checks every answer.

    The ways are a schema, any JSON, and words alone. The one that was accepted is remembered. The
    model is shown an example of a text for the same situation.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        sends_description: bool = False,
    ) -> None:
        self._endpoint = endpoint
        self._model = model
        limits = {"temperature": temperature, "max_tokens": max_tokens}
        self._limits = {name: value for name, value in limits.items() if value is not None}
        self._sends_description = sends_description
        self._first_format = 0
        self._template = TemplateEnricher()

    async def enrich(self, task: EnrichmentTask) -> Draft:
        """Return the texts that the model writes, one for each language."""
        asked = {
            "model": self._model,
            "messages": messages(
                task,
                with_description=self._sends_description,
                example=await self._example(task),
            ),
            **self._limits,
        }
        first = self._first_format
        formats = _formats(task.languages)[first:]
        answer = await self._endpoint.post(*({**asked, **each} for each in formats))
        self._first_format = max(self._first_format, first + answer.index)
        tokens = tokens_used(answer.body)
        try:
            texts = texts_in(answer.body, task.languages)
        except EnrichmentRefused as refused:
            raise EnrichmentRefused(refused.reason, tokens) from None
        return Draft(texts, f"model:{self._model}", tokens=tokens)

    async def _example(self, task: EnrichmentTask) -> Example | None:
        """Return what the template writes of the same situation, with other names."""
        example = example_of(task)
        return (example, (await self._template.enrich(example)).texts) if example else None

    async def close(self) -> None:
        """Close the connections."""
        await self._endpoint.close()


def _formats(languages: tuple[str, ...]) -> tuple[dict[str, object], ...]:
    """Return the members of a request that ask for JSON, from the strictest to none.

    The schema is of the part that all servers know: all required, nothing else, no lengths.
    """
    text = _object({"title": {"type": "string"}, "summary": {"type": "string"}})
    schema = {"name": "texts", "strict": True, "schema": _object(dict.fromkeys(languages, text))}
    return (
        {"response_format": {"type": "json_schema", "json_schema": schema}},
        {"response_format": {"type": "json_object"}},
        {},
    )


def _object(properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }
