"""All connections over TLS, with docker-compose.tls.yml."""

from collections.abc import Iterator

import httpx
import pytest

from local.stack.ports import free_port
from tests.support.builders.events import event_json
from tests.support.drivers.containers import SECRETS, Containers, new_secrets
from tests.support.drivers.docker import docker_runs
from tests.support.waiting import eventually

LIST = """
from confluent_kafka import Producer
try:
    Producer({"bootstrap.servers": "kafka:9092", "log_level": 0, %s}).list_topics(timeout=3)
    print("welcome")
except Exception:
    print("refused")
"""
TLS = "'security.protocol': 'SASL_SSL', 'ssl.ca.location': '/tls/ca.pem'"
USER = "'sasl.mechanism': 'SCRAM-SHA-512', 'sasl.username': 'goalstream', 'sasl.password': "


@pytest.fixture
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """The containers with TLS; without Docker this is skipped."""
    if not docker_runs():
        pytest.skip("Docker with Compose does not run here")
    settings = {
        "GOALSTREAM_EVENTS_PORT": str(free_port()),
        "GOALSTREAM_HIGHLIGHTS_PORT": str(free_port()),
        **new_secrets(tmp_path_factory.mktemp("secrets"), *SECRETS, "kafka_password"),
    }
    containers = Containers("goalstream-tls", settings, "docker-compose.tls.yml")
    try:
        containers.up("--build")
        yield containers
    finally:
        containers.down()


def listed(containers: Containers, settings: str) -> str:
    """List the broker's topics from a function's container; return the output."""
    return containers.run_in("ingest-event", "python", "-c", LIST % settings).strip()


def test_a_goal_becomes_ready_over_tls_and_a_plain_down_leaves_nothing(
    secured: Containers, http: httpx.Client
) -> None:
    """All clients of Kafka, Postgres and Redis use TLS, and Kafka requires a password.

    One test, since a start takes long; the container that made the certificates goes too.
    """
    posted = http.post(f"{secured.events_url}/events", json=event_json())
    assert posted.status_code == 202, posted.text
    url = secured.highlights_url + posted.headers["location"]
    eventually(lambda: http.get(url).is_success and http.get(url).json()["status"] == "READY")
    match_id = posted.json()["matchId"]
    page, pages = (
        f"{secured.highlights_url}/highlights?matchId={match_id}",
        f"goalstream:{match_id}:pages",
    )
    eventually(lambda: len(http.get(page).json()) == 1 and secured.redis("exists", pages) == "1")
    insecure = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE NOT ssl"
    assert secured.sql(f"{insecure} AND application_name = 'goalstream'") == "0"
    password = secured.secret("kafka_password")
    assert listed(secured, f"{TLS}, {USER} {password!r}") == "welcome"
    assert listed(secured, f"{TLS}, {USER} 'wrong'") == "refused"
    assert listed(secured, "") == "refused"
    assert secured.ids("certificates")
    plain = Containers(secured.name, secured.settings)
    plain.compose("down", "--volumes")
    assert plain.remaining() == []
