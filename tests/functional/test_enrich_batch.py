"""enrich-batch, as cron and a trigger call it."""

import asyncio
import json
from uuid import UUID

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from functions.consume_goal.revisions import revision_of
from functions.enrich_batch.app import build_app
from functions.enrich_batch.queue.worker import EnrichmentWorker
from functions.enrich_batch.review import Reviewer
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.shared.contract.highlight import Status
from functions.shared.inbound.cloudevents import BATCH
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.settings.load import load
from local.stack import ROOT
from tests.support.builders.events import MATCH, event_json, id_of, identified
from tests.support.builders.revisions import RULES, cloud_event
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeCache, FakeStore

GOAL = id_of(MATCH, "goal-1")
NOTHING = dict.fromkeys(
    ("claimed", "ready", "provisional", "postponed", "failed", "remaining", "tokens"), 0
)


@pytest.fixture(name="store")
def _store() -> FakeStore:
    """A store with one pending highlight."""
    event = identified(team="home", player="John Doe")
    store = FakeStore()
    asyncio.run(store.record([revision_of(event, ReceivedRecord(None, None, None), RULES)]))
    return store


@pytest.fixture(name="cron")
def _cron(store: FakeStore) -> Client:
    """A client of the function, which has the template enricher."""
    settings = load(EnrichBatchSettings, {"DATABASE_URL": "postgresql://"})
    enrich = EnrichmentWorker(store, FakeCache(), Reviewer(TemplateEnricher()), settings)
    return Client(build_app(lambda: enrich))


def test_a_call_enriches_pending_highlights(cron: Client, store: FakeStore) -> None:
    """And responds with what it did, and what remains."""
    response = cron.post("/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == NOTHING | {"claimed": 1, "ready": 1}
    assert store.rows[GOAL]["status"] == Status.READY
    assert store.rows[GOAL]["title"] == "Home GOAL by John Doe"


def test_metrics_count_texts_by_who_wrote_them(cron: Client) -> None:
    """Of this process, in the format of Prometheus."""
    before = _texts_by_template(cron)
    cron.post("/")
    assert _texts_by_template(cron) == before + 1


def _texts_by_template(client: Client) -> float:
    families = text_string_to_metric_families(client.get("/metrics").text)
    (texts,) = (family for family in families if family.name == "enrich_batch_texts")
    found = (each.value for each in texts.samples if each.labels == {"enriched_by": "template"})
    return next(found, 0.0)


def test_a_second_call_finds_nothing_to_do(cron: Client) -> None:
    """Nothing is pending any more."""
    cron.post("/")
    assert cron.post("/").json() == NOTHING


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", None),
        (b"", "application/json"),
        (json.dumps([cloud_event({"highlightIds": [str(GOAL)]}, 0)]).encode(), BATCH),
        (json.dumps([cloud_event(event_json(), 0)]).encode(), BATCH),
        (b"\xff" * 1000, "text/plain"),
        (b"[" * 10_000, BATCH),
    ],
)
def test_any_body_starts_a_run(
    content: bytes, content_type: str | None, cron: Client, store: FakeStore
) -> None:
    """An announcement, an empty body, or noise."""
    headers = {"Content-Type": content_type} if content_type else {}
    response = cron.post("/", content=content, headers=headers)
    assert (response.status_code, response.json()["ready"]) == (200, 1)
    assert store.rows[GOAL]["status"] == Status.READY


def test_a_ping_of_a_knative_schedule_starts_a_run(cron: Client) -> None:
    """With the body that the schedule sends."""
    schedule = yaml.safe_load((ROOT / "infra/knative/base/enrich-schedule.yaml").read_text())
    source = f"/apis/v1/namespaces/goalstream/pingsources/{schedule['metadata']['name']}"
    headers = {
        "Content-Type": schedule["spec"]["contentType"],
        "ce-specversion": "1.0",
        "ce-type": "dev.knative.sources.ping",
        "ce-source": source,
        "ce-id": "5d5a2d8a-7d5a-4c2e-9a53-0c8f4b8f7c11",
        "ce-time": "2025-12-08T20:16:00.000Z",
    }
    response = cron.post("/", content=schedule["spec"]["data"].encode(), headers=headers)
    assert (response.status_code, response.json()["ready"]) == (200, 1)


def test_a_highlight_that_another_worker_has_claimed_is_left_to_it(
    cron: Client, store: FakeStore
) -> None:
    """It remains pending."""
    asyncio.run(store.claim(limit=1, lease_s=60))
    assert cron.post("/").json() == NOTHING | {"remaining": 1}
    assert store.rows[GOAL]["status"] == Status.PENDING_AI


def test_concurrent_calls_enrich_each_highlight_once(cron: Client, store: FakeStore) -> None:
    """Cron and the trigger may call at the same time."""
    asyncio.run(_record_more(store))

    async def call() -> list[dict[str, int]]:
        responses = await asyncio.gather(*(cron.send("POST", "/") for _ in range(5)))
        return [response.json() for response in responses]

    results = asyncio.run(call())
    assert sum(result["claimed"] for result in results) == len(store.rows) == 21
    assert sum(result["ready"] for result in results) == 21


async def _record_more(store: FakeStore) -> None:
    events = [identified(matchId=str(UUID(int=9)), eventId=f"{n}") for n in range(20)]
    delivery = ReceivedRecord(None, None, None)
    await store.record([revision_of(event, delivery, RULES) for event in events])


def test_an_unavailable_database_is_a_503(cron: Client, store: FakeStore) -> None:
    """So the trigger retries."""
    store.away = True
    response = cron.post("/")
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["content-type"] == "application/problem+json"


def test_the_function_accepts_posts_at_its_root(cron: Client, store: FakeStore) -> None:
    """And has a health check; no other request starts a run."""
    assert cron.get("/health").json() == {"status": "ok"}
    refused = cron.get("/")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST, OPTIONS")
    assert cron.post("/anything").status_code == 404
    assert store.rows[GOAL]["status"] == Status.PENDING_AI
