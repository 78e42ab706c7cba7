"""Upgrades by docs/upgrades.md, also with a failing migration."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.stack import ROOT
from tests.support.builders.events import event_json
from tests.support.drivers.containers import LASTING, Containers

LINE = (
    "infra/migrations/9999_broken.sql failed, and nothing was changed:"
    ' column "team" of relation "highlights" already exists (SQLSTATE 42701)'
)
SOON_S = 60  # with all that else `up` looks at


@pytest.fixture
def broken(containers: Containers) -> Containers:
    """The same containers, with a next migration that fails."""
    return Containers(containers.name, containers.settings, "tests/e2e/broken_migration.yml")


def test_while_a_migration_fails_the_old_functions_go_on(
    containers: Containers, broken: Containers, http: httpx.Client
) -> None:
    """Its failure is one line on the terminal, no container was replaced, and no request failed."""
    before = [containers.id(service) for service in LASTING]
    answers = []
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(broken.compose, "run", "--rm", "--no-TTY", "migrations")
        while not run.done():
            posted = http.post(f"{containers.events_url}/events", json=event_json(eventId="old"))
            listed = http.get(f"{containers.highlights_url}/highlights")
            answers.extend([posted.status_code, listed.status_code])
        with pytest.raises(AssertionError) as failed:
            run.result()
    assert LINE in str(failed.value).splitlines()
    assert set(answers) == {202, 200}
    assert [containers.id(service) for service in LASTING] == before


def test_a_plain_up_says_soon_that_a_migration_fails(
    containers: Containers, broken: Containers
) -> None:
    """After some seconds, with the name of the service whose log has the error."""
    began = time.monotonic()
    try:
        with pytest.raises(AssertionError, match='service "migrations" didn\'t complete') as failed:
            broken.up()
        assert time.monotonic() - began < SOON_S
        assert LINE in containers.compose("logs", "--no-log-prefix", "migrations")
    finally:
        containers.up()
    assert "exit 1" in str(failed.value)


def test_make_upgrades_in_the_order_of_the_document() -> None:
    """First the images, then the migrations, then the functions."""
    document = (ROOT / "docs/upgrades.md").read_text()
    commands = re.findall(r"^docker compose .*$", document, re.MULTILINE)[:3]
    assert [command.split()[2] for command in commands] == ["build", "run", "up"]
    recipe = (ROOT / "Makefile").read_text().partition("\nup-containers:")[2].partition("\n\n")[0]
    assert re.findall(r"docker compose (?:build|run|up)[\w -]*\b", recipe) == commands
