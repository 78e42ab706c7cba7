"""The services conform to their OpenAPI documents, tested with Schemathesis."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.stack import ROOT
from local.stack.stack import Stack
from tests.support.length import IS_LONG

EXAMPLES = 2_000 if IS_LONG else 200  # of each operation
LIMIT_S = 900


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("service", ["events", "highlights"])
def test_a_service_keeps_to_its_document(stack: Stack, tmp_path: Path, service: str) -> None:
    """Valid requests are accepted, invalid ones refused; answers are documented, none is a 5xx."""
    url = {"events": stack.events_url, "highlights": stack.highlights_url}[service]
    run = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "run", f"{url}/openapi.json",
         "--checks", "all", "--max-examples", str(EXAMPLES), "--phases", "coverage,fuzzing",
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
