"""The enricher that the settings choose."""

from functions.enrich_batch.queue.protected_enricher import ProtectedEnricher
from functions.enrich_batch.settings import EnrichBatchSettings


def build_endpoint(settings: EnrichBatchSettings) -> ProtectedEnricher | None:
    """Return the enricher that asks an endpoint, or None if the template writes.

    Only one that asks an endpoint loads an HTTP client.
    """
    if settings.enricher == "template":
        return None
    from functions.enrich_batch.remote.build import http_enricher, openai_enricher

    build = http_enricher if settings.enricher == "http" else openai_enricher
    return ProtectedEnricher(build(settings), settings)
