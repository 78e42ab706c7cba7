"""Makes the enrichers that ask an endpoint, of their settings."""

from functions.enrich_batch.remote.endpoint import Endpoint, EndpointKey
from functions.enrich_batch.remote.http_enricher import HttpEnricher
from functions.enrich_batch.remote.openai_enricher import OpenAIEnricher
from functions.enrich_batch.remote.settings import EnricherSettings


def http_enricher(settings: EnricherSettings) -> HttpEnricher:
    """Return the enricher that posts to ENRICHER_URL."""
    key = EndpointKey(settings, "enricher_api_key")
    endpoint = Endpoint(
        settings.enricher_url or "", key, ("X-Api-Key", "{key}"), settings.enricher_timeout_s
    )
    return HttpEnricher(endpoint, sends_description=settings.enricher_sends_description)


def openai_enricher(settings: EnricherSettings) -> OpenAIEnricher:
    """Return the enricher that asks OPENAI_MODEL at OPENAI_BASE_URL."""
    url = f"{settings.openai_base_url}/chat/completions"
    key = EndpointKey(settings, "openai_api_key")
    endpoint = Endpoint(url, key, ("Authorization", "Bearer {key}"), settings.enricher_timeout_s)
    return OpenAIEnricher(
        endpoint,
        settings.openai_model or "",
        temperature=settings.openai_temperature,
        max_tokens=settings.openai_max_tokens,
        sends_description=settings.enricher_sends_description,
    )
