"""API keys, when the gateway is reachable from a network."""

import os
import secrets
from pathlib import Path

import httpx
import pytest

from tests.support.builders.events import event_json
from tests.support.drivers.containers import Containers


def test_without_keys_it_does_not_face_a_network(containers: Containers) -> None:
    """`up` names ingest-event's container, whose log says which variable is missing."""
    facing = {**containers.settings, "GATEWAY_ADDRESS": "0.0.0.0"}  # noqa: S104
    open_to_all = Containers(containers.name, facing)
    name = f"container {containers.name}-ingest-event-1"
    try:
        with pytest.raises(AssertionError, match=rf"{name} (is unhealthy|exited \(1\))"):
            open_to_all.up("--no-deps", "ingest-event")
        assert "API_KEYS is missing" in containers.compose("logs", "ingest-event")
    finally:
        containers.up("--no-deps", "ingest-event")


def test_an_unreadable_file_of_keys_is_reported(containers: Containers, tmp_path: Path) -> None:
    """The log names it, and the user that must be able to read it."""
    file = tmp_path / "api_keys"
    file.write_text(secrets.token_urlsafe(24))
    file.chmod(0o600)
    with pytest.raises(AssertionError) as error:
        containers.docker(
            "run", "--rm", "--volume", f"{file}:/run/secrets/api_keys:ro",
            "--env", "API_KEYS_FILE=/run/secrets/api_keys",
            "--env", "KAFKA_BOOTSTRAP_SERVERS=kafka:9092",
            "--env", "FUNCTION_SOURCE=functions/ingest_event/main.py",
            "--env", "FUNCTION_TARGET=ingest_event", containers.image("ingest-event"),
        )  # fmt: skip
    assert (
        "cannot start: API_KEYS_FILE is wrong: Permission denied: its mode is 600, its owner user"
        f" {os.geteuid()}, and this is user 10001"
    ) in str(error.value)


def test_with_keys_an_event_needs_one(
    containers: Containers, http: httpx.Client, tmp_path: Path
) -> None:
    """Either of two keys from a secret's file works; reads need no key."""
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
            accepted = http.post(url, json=event_json(), headers={"Authorization": f"Bearer {key}"})
            assert accepted.status_code == 202
        assert http.get(f"{containers.highlights_url}/highlights").status_code == 200
        assert old not in containers.docker("inspect", containers.id("ingest-event"))
    finally:
        containers.up("--no-deps", "ingest-event")
