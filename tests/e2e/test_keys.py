"""Who may post, once the gateway faces a network."""

import secrets
from pathlib import Path

import httpx

from tests.e2e.containers import Containers
from tests.events import event_json


def test_without_keys_it_does_not_face_a_network(containers: Containers) -> None:
    """ingest-event stops at its start, and says which variable is missing."""
    said = containers.docker(
        "run", "--rm", "--env", "KAFKA_BOOTSTRAP_SERVERS=kafka:9092",
        "--env", "FUNCTION_SOURCE=functions/ingest_event/main.py",
        "--env", "FUNCTION_TARGET=ingest_event", "--env", "GATEWAY_ADDRESS=0.0.0.0",
        "--entrypoint", "sh", "goalstream-functions:e2e", "-c",
        "python -m functions_framework 2>&1 && echo started || true",
    )  # fmt: skip
    assert "API_KEYS is missing" in said
    assert "started" not in said


def test_with_keys_an_event_needs_one(
    containers: Containers, http: httpx.Client, tmp_path: Path
) -> None:
    """Either of two keys, from a secret's file; reading stays free."""
    old, new = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    file = tmp_path / "api_keys"
    file.write_text(f"{old}\n{new}\n")
    guarded = Containers(containers.name, {**containers.settings, "API_KEYS_FILE": str(file)})
    guarded.up("--no-deps", "ingest-event")
    try:
        url = f"{containers.events_url}/events"
        refused = http.post(url, json=event_json())
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
        for key in (old, new):
            taken = http.post(url, json=event_json(), headers={"Authorization": f"Bearer {key}"})
            assert taken.status_code == 202
        assert http.get(f"{containers.highlights_url}/highlights").status_code == 200
        assert old not in containers.docker("inspect", containers.id("ingest-event"))
    finally:
        containers.up("--no-deps", "ingest-event")
