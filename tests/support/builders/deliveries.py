"""Requests as the trigger makes them, and the two functions that serve them, on one store."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from functions.consume_goal.app import build_app as consume_goal
from functions.consume_goal.consume import EventConsumer
from functions.consume_goal.revisions import revision_of
from functions.enrich_batch.app import build_app as enrich_batch
from functions.enrich_batch.queue.worker import EnrichmentWorker
from functions.enrich_batch.review import Reviewer
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.settings.load import load
from local.kafka_trigger.envelopes.encoder import Envelope, encoder_for
from local.kafka_trigger.record import Record
from tests.support.builders.events import identified
from tests.support.builders.records import record
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeCache, FakePublisher, FakeStore

Request = tuple[Mapping[str, str], bytes]

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Functions:
    """Both functions, on one store."""

    def __init__(self) -> None:
        self.store = FakeStore()
        consume = EventConsumer(self.store, FakeCache(), FakePublisher(), RULES)
        settings = load(EnrichBatchSettings, {"DATABASE_URL": "postgresql://"})
        enrich = EnrichmentWorker(self.store, FakeCache(), Reviewer(TemplateEnricher()), settings)
        self.consume_goal = Client(consume_goal(lambda: consume))
        self.enrich_batch = Client(enrich_batch(lambda: enrich))

    def await_text(self) -> None:
        """Record one goal that is pending its text."""
        goal = revision_of(identified(), ReceivedRecord(None, None, None), RULES)
        asyncio.run(self.store.record([goal]))


def post(client: Client, request: Request) -> httpx.Response:
    """Return a function's answer."""
    headers, body = request
    return client.post("/", content=body, headers=dict(headers))


def goal_record(offset: int = 7, value: bytes | None = None, **more: Any) -> Record:
    """A record as ingest-event writes it."""
    headers = [
        ("ce_id", b"goal-1"),
        ("ce_source", b"/ingest-event"),
        ("ce_specversion", b"1.0"),
        ("ce_type", b"goalstream.match-event"),
        ("content-type", b"application/json"),
        ("traceparent", TRACE.encode()),
    ]
    value = identified().to_json() if value is None else value
    return record(offset, value, **{"headers": headers, "timestamp": (1, 1), **more})


def request_of(envelope: Envelope, *records: Record) -> Request:
    """The request in which the trigger sends records."""
    payload = encoder_for(envelope, "b1:9092,b2:9092")(records)
    content_type = {"content-type": payload.content_type} if payload.content_type else {}
    return {**content_type, **payload.headers}, payload.body
