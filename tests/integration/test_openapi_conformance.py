"""The services conform to their OpenAPI documents, tested with Schemathesis."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.openapi import examples
from local.stack import ROOT
from local.stack.stack import Stack
from tests.support.length import IS_LONG
from tests.support.waiting import eventually

EXAMPLES = 2_000 if IS_LONG else 200  # of each operation
LIMIT_S = 900


@pytest.fixture
def goals(stack: Stack, http: httpx.Client) -> None:
    """The highlights of the documents' examples."""
    http.post(f"{stack.events_url}/events/batch", json=examples.BATCH).raise_for_status()
    highlight = f"{stack.highlights_url}/highlights/{examples.ACCEPTED['highlightId']}"
    eventually(lambda: http.get(highlight).json().get("title") is not None)


@pytest.mark.usefixtures("goals")
@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("service", ["events", "highlights"])
def test_a_service_keeps_to_its_document(stack: Stack, tmp_path: Path, service: str) -> None:
    """Valid requests are accepted, invalid ones refused; answers are documented, none is a 5xx."""
    url = {"events": stack.events_url, "highlights": stack.highlights_url}[service]
    run = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "run", f"{url}/openapi.json",
         "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful",
         "--max-examples", str(EXAMPLES),
         "--continue-on-failure", "--generation-deterministic", "--no-color",
         "--suppress-health-check", "all"],
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.integration.schemathesis_hooks",
             "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"},
        cwd=tmp_path,  # where it keeps what it found, to try that first the next time
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
