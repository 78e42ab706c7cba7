"""The enricher that the settings choose."""

from functions.enrich_batch.enricher import Enricher
from functions.enrich_batch.remote.settings import EnricherSettings
from functions.enrich_batch.template import TemplateEnricher


def build_enricher(settings: EnricherSettings) -> Enricher:
    """Return the chosen enricher; only one that asks an endpoint loads an HTTP client."""
    if settings.enricher == "template":
        return TemplateEnricher()
    from functions.enrich_batch.remote.build import http_enricher, openai_enricher

    return http_enricher(settings) if settings.enricher == "http" else openai_enricher(settings)
