"""`python -m tests.integration.event_fields`: an event with every field, from POST to GET.

The table is that of the database in `DATABASE_URL`. Prints what was posted, and what was answered.
"""

import asyncio
import json
import os
from typing import Any

import orjson

from functions.consume_goal.consume import EventConsumer
from functions.get_highlight.app import build_app as get_highlight
from functions.ingest_event.app import build_app as ingest_event
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from infra.openapi.response_models import Highlight
from tests.support.builders.events import complete_event
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeCache, FakePublisher


async def answered(postgres: Postgres, posted: dict[str, Any]) -> Any:
    """Consume and enrich a posted event; return its highlight as get-highlight returns it."""
    store, broker = HighlightStore(postgres), FakePublisher()
    accepted = await Client(ingest_event(lambda: broker, RULES)).send(
        "POST", "/events", json=posted
    )
    (record,) = broker.published
    consume = EventConsumer(store, FakeCache(), broker, RULES)
    assert await consume.consume([ReceivedRecord(orjson.loads(record.value), None, None)]) == []
    path = f"/highlights/{accepted.json()['highlightId']}"
    answer = await Client(get_highlight(lambda: store)).send("GET", path)
    Highlight.model_validate_json(answer.content)
    return answer.json()


async def _main() -> None:
    postgres = Postgres(PostgresSettings.model_validate(os.environ))
    posted = complete_event()
    try:
        print(json.dumps([posted, await answered(postgres, posted)]))  # noqa: T201 - for its caller
    finally:
        postgres.close()


if __name__ == "__main__":
    asyncio.run(_main())
