"""`python -m tests.integration.enrichment_worker`: a worker of the queue at DATABASE_URL.

It calls itself, as cron would, until nothing is pending. The template writes, or, with --answer-s,
a model that takes so long for a text. Prints the counts of each call in JSON.
"""

import argparse
import asyncio
import json
import os
from dataclasses import asdict

from functions.enrich_batch.enricher import Draft, EnrichmentRefused, EnrichmentTask
from functions.enrich_batch.queue.protected_enricher import ProtectedEnricher
from functions.enrich_batch.queue.worker import EnrichmentWorker
from functions.enrich_batch.review import Reviewer
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.shared.contract.highlight import HighlightText
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.settings.load import load
from tests.support.fakes.services import FakeCache

PAUSE_S = 0.1


class SlowModel:
    """Writes the same text about everything, or refuses to, in its own time."""

    def __init__(self, answer_s: float, *, refuses: bool) -> None:
        self._answer_s = answer_s
        self._refuses = refuses

    async def enrich(self, _: EnrichmentTask) -> Draft:
        """Return the text."""
        await asyncio.sleep(self._answer_s)
        if self._refuses:
            raise EnrichmentRefused("I cannot help with that.")
        return Draft({"en": HighlightText("Goal", "A goal.")}, "model:slow")


async def work(settings: EnrichBatchSettings, options: argparse.Namespace) -> None:
    """Enrich until nothing is pending, or for ever."""
    postgres = Postgres(settings)
    store, template = HighlightStore(postgres), TemplateEnricher()
    endpoint, reviewer = None, Reviewer(template)
    if options.answer_s is not None:
        model = SlowModel(options.answer_s, refuses=options.refuse)
        endpoint = ProtectedEnricher(model, settings)
        reviewer = Reviewer(template, endpoint)
    worker = EnrichmentWorker(store, FakeCache(), reviewer, settings, endpoint)
    try:
        while True:
            counts = await worker.run()
            print(json.dumps(asdict(counts)), flush=True)  # noqa: T201 - for its caller
            if not (counts.remaining or options.forever):
                break
            await asyncio.sleep(PAUSE_S)
    finally:
        postgres.close()


def main() -> None:
    """Run the worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answer-s", type=float)
    parser.add_argument("--refuse", action="store_true", help="the model refuses to write")
    parser.add_argument("--forever", action="store_true")
    options = parser.parse_args()
    asyncio.run(work(load(EnrichBatchSettings, os.environ), options))


if __name__ == "__main__":
    main()
