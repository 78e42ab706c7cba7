"""Before the schema and the topics exist, functions answer 503; then they recover by themselves."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from confluent_kafka.admin import AdminClient

from functions.consume_goal.app import build_app as consume_goal
from functions.consume_goal.consume import EventConsumer
from functions.enrich_batch.app import build_app as enrich_batch
from functions.enrich_batch.queue.worker import EnrichmentWorker
from functions.enrich_batch.review import Reviewer
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.get_highlight.app import build_app as get_highlight
from functions.list_highlights.app import build_app as list_highlights
from functions.list_highlights.pages import PageReader
from functions.shared.contract.topics import MATCH_EVENTS
from functions.shared.http.readiness import Readiness
from functions.shared.http.routing import Router
from functions.shared.inbound.cloudevents import BATCH
from functions.shared.kafka.publisher import Publisher
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.postgres.change_feed import ChangeFeed
from functions.shared.postgres.connection import connect
from functions.shared.postgres.highlight_sql import ENRICHES, GETS, RECORDS
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.match_sql import READS
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import load
from infra import topics
from infra.migrate import migrate
from local.stack.addresses import Ports
from local.stack.connectivity import accepts
from local.stack.ports import free_port
from local.stack.stack import running_stack
from tests.support.builders.events import MATCH, event_json, id_of
from tests.support.builders.revisions import RULES, cloud_event
from tests.support.drivers.asgi import Client
from tests.support.drivers.broker import running_broker
from tests.support.drivers.table import TIMEOUT_S
from tests.support.fakes.services import FakeCache, FakePublisher
from tests.support.waiting import eventually

NO_TABLE = 'relation "highlights" does not exist'
NEEDS = {
    "list": READS,
    "get": GETS,
    "consume": RECORDS,
    "enrich": ENRICHES,
}


class Functions:
    """The functions that need the table; each call also checks their readiness."""

    def __init__(self, url: str, prepare: str) -> None:
        environ = {"DATABASE_URL": url, "DATABASE_PREPARE": prepare, "DATABASE_POOL_SIZE": "1"}
        self.postgres = Postgres(load(PostgresSettings, environ))
        store, cache = HighlightStore(self.postgres), FakeCache()
        pages = PageReader(store, cache, ChangeFeed(self.postgres))
        consume = EventConsumer(store, cache, FakePublisher(), RULES)
        enrich = EnrichmentWorker(
            store, cache, Reviewer(TemplateEnricher()), load(EnrichBatchSettings, environ)
        )
        self.routes: dict[str, Router] = {
            "consume": consume_goal(lambda: consume, self._ready("consume")),
            "enrich": enrich_batch(lambda: enrich, self._ready("enrich")),
            "list": list_highlights(lambda: pages, readiness=self._ready("list")),
            "get": get_highlight(lambda: store, readiness=self._ready("get")),
        }

    def _ready(self, name: str) -> Readiness:
        store = HighlightStore(self.postgres, NEEDS[name])
        return Readiness({"postgres": lambda: store}, max_age_s=0)

    def call(self) -> dict[str, httpx.Response]:
        """Deliver a goal, enrich, list and get it; return the answers."""
        event = event_json(eventId="first")
        records: dict[str, Any] = {
            "json": [cloud_event(event, 0)],
            "headers": {"content-type": BATCH},
        }
        found = {
            "consume": ("POST", "/", records),
            "enrich": ("POST", "/", {}),
            "list": ("GET", "/highlights", {}),
            "get": ("GET", f"/highlights/{id_of(MATCH, 'first')}", {}),
        }
        return {
            name: Client(self.routes[name]).request(method, path, **request)
            for name, (method, path, request) in found.items()
        }

    def ready(self) -> dict[str, httpx.Response]:
        """Return the readiness of each function."""
        return {name: Client(routes).get("/ready") for name, routes in self.routes.items()}


@pytest.fixture(params=["true", "false"], ids=["prepared", "unprepared"])
def functions(request: pytest.FixtureRequest, empty_database: str) -> Iterator[Functions]:
    """The functions, before any migration has run."""
    running = Functions(empty_database, request.param)
    yield running
    running.postgres.close()


def test_without_its_table_every_function_is_a_503_and_then_fine(
    functions: Functions, empty_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Every request gets a 503 with Retry-After, until a migration runs; no restart is needed."""
    for _ in range(2):
        for answer in functions.call().values():
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) > 0
            assert answer.headers["content-type"] == "application/problem+json"
        for answer in functions.ready().values():
            assert answer.status_code == 503
            assert NO_TABLE in answer.json()["services"]["postgres"]
    logged = [each for each in caplog.records if each.message == "the database lacks what we need"]
    assert [each.__dict__["fields"] for each in logged] == [{"missing": NO_TABLE}]

    with closing(connect(empty_database, TIMEOUT_S)) as connection:
        migrate(connection)
    assert {answer.status_code for answer in functions.ready().values()} == {200}
    answers = functions.call()
    assert {answer.status_code for answer in answers.values()} == {200}
    assert answers["get"].json()["status"] == "READY"


@pytest.mark.parametrize(
    ("lost", "missing", "who"),
    [
        ("ALTER TABLE highlights RENAME attempts TO tries", "attempts", {"enrich"}),
        ("DROP FUNCTION rfc3339", "rfc3339", {"list", "get"}),
        ("ALTER TABLE highlights DROP CONSTRAINT highlights_pkey", "ON CONFLICT", {"consume"}),
    ],
)
def test_only_functions_that_lack_a_part_of_the_schema_are_unready(
    functions: Functions, empty_database: str, lost: str, missing: str, who: set[str]
) -> None:
    """Functions that need the missing part answer 503; the others work, and none answers 500."""
    with closing(connect(empty_database, TIMEOUT_S)) as connection:
        migrate(connection)
        functions.call()
        connection.run(lost)
    ready, answers = functions.ready(), functions.call()
    assert who <= {name for name, answer in ready.items() if answer.status_code == 503}
    assert {name for name, answer in ready.items() if answer.status_code == 503} == {
        name for name, answer in answers.items() if answer.status_code == 503
    }
    assert all(answer.status_code in (200, 503) for answer in answers.values())
    assert all(missing in ready[name].json()["services"]["postgres"] for name in who)


def test_a_newer_schema_leaves_every_function_ready(
    functions: Functions, empty_database: str
) -> None:
    """Additions of a later migration do not concern it."""
    with closing(connect(empty_database, TIMEOUT_S)) as connection:
        migrate(connection)
        functions.call()
        connection.run("ALTER TABLE highlights ADD COLUMN newer text")
        connection.run("INSERT INTO migrations (name) VALUES ('9999_newer')")
    assert {answer.status_code for answer in functions.ready().values()} == {200}
    assert {answer.status_code for answer in functions.call().values()} == {200}


def test_a_missing_database_is_a_503(empty_database: str) -> None:
    """Until it is created."""
    url = re.sub(r"/[^/]*$", f"/missing_{uuid4().hex}", empty_database)
    functions = Functions(url, "true")
    assert {answer.status_code for answer in functions.call().values()} == {503}
    for answer in functions.ready().values():
        assert "does not exist" in answer.json()["services"]["postgres"]
    functions.postgres.close()


def test_a_role_that_may_only_read_serves_readers_and_no_writer(empty_database: str) -> None:
    """A missing privilege is a 503 that names the table; readers need no write privilege."""
    role = f"reader_{uuid4().hex}"
    with closing(connect(empty_database, TIMEOUT_S)) as connection:
        migrate(connection)
        connection.run(f"CREATE ROLE {role} LOGIN")
        connection.run(f"GRANT SELECT ON highlights TO {role}")
        functions = Functions(re.sub(r"//[^@]*@", f"//{role}@", empty_database), "true")
        ready, answers = functions.ready(), functions.call()
        functions.postgres.close()
        connection.run(f"DROP OWNED BY {role}")
        connection.run(f"DROP ROLE {role}")
    right = {"list": 200, "get": 200, "consume": 503, "enrich": 503}
    assert {name: answer.status_code for name, answer in ready.items()} == right
    assert "permission denied" in ready["consume"].json()["services"]["postgres"]
    assert {name: answer.status_code for name, answer in answers.items()} == right | {"get": 404}


def test_publishers_are_unready_until_the_topics_exist() -> None:
    """Then it becomes ready by itself; without a broker it reports that."""
    port = free_port()
    environ = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}"}

    async def states() -> list[str]:
        publisher = Publisher(load(KafkaSettings, environ), topic=MATCH_EVENTS)
        readiness = Readiness({"kafka": lambda: publisher}, max_age_s=0)

        async def until(holds: Callable[[str], bool]) -> str:
            async with asyncio.timeout(30):
                while not holds(state := (await readiness.check()).services["kafka"]):
                    await asyncio.sleep(0.01)
            return state

        away = await until(lambda _: True)
        with running_broker(port):
            no_topic = await until(lambda state: MATCH_EVENTS in state)
            admin = AdminClient({"bootstrap.servers": environ["KAFKA_BOOTSTRAP_SERVERS"]})
            await asyncio.to_thread(topics.create, admin, 1)
            return [away, no_topic, await until(lambda state: state == "ok")]

    away, no_topic, _ = asyncio.run(states())
    assert away not in (no_topic, "ok")


def test_the_stack_opens_its_ports_when_all_behind_them_is_ready(
    tmp_path: Path, http: httpx.Client
) -> None:
    """The first accepted request is answered, on both ports."""
    ports = Ports(free_port(), free_port())
    answers: list[httpx.Response] = []

    def ask() -> None:
        events, highlights = (
            f"http://127.0.0.1:{port}" for port in (ports.events, ports.highlights)
        )
        eventually(lambda: accepts(ports.highlights), within_s=60)
        answers.append(http.get(f"{highlights}/highlights"))
        eventually(lambda: accepts(ports.events), within_s=60)
        answers.append(http.post(f"{events}/events", json=event_json(eventId="at once")))
        answers.extend(http.get(f"{url}/ready") for url in (events, highlights))

    asking = threading.Thread(target=ask)
    asking.start()
    with running_stack(tmp_path, ports=ports, environ={}):
        asking.join()
    assert [answer.status_code for answer in answers] == [200, 202, 404, 404]
