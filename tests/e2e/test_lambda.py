"""The image for AWS Lambda, run as Lambda runs it, against the tests' own Runtime API.

It shares the network of this machine, where the embedded services are.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest

from functions.shared.contract.event import highlight_id
from local.stack import ROOT
from local.stack.services import programs
from local.stack.stack import running_stack
from tests.support.builders.events import FIRST_GOAL, MATCH
from tests.support.builders.lambda_events import SCHEDULE, http, kafka
from tests.support.drivers.docker import docker_runs
from tests.support.drivers.lambda_runtime import FunctionError, Runtime, environment

IMAGE = "goalstream-lambda:e2e"
# As Lambda has it: a user of its own, nothing to write to but /tmp, no more rights.
AS_LAMBDA = (
    "--read-only", "--tmpfs=/tmp", "--user=993:990", "--memory=512m", "--cap-drop=ALL",
    "--security-opt=no-new-privileges", "--network=host",
)  # fmt: skip
ID = highlight_id(MATCH, "lambda")
GOAL = orjson.dumps({**FIRST_GOAL, "matchId": str(MATCH), "eventId": "lambda"})


@pytest.fixture(scope="module")
def image() -> str:
    """The image; without Docker these tests are skipped."""
    if not docker_runs():
        pytest.skip("Docker with Compose does not run here")
    docker("build", "--quiet", "--target", "lambda", "--tag", IMAGE, ".")
    return IMAGE


@pytest.fixture
def services(image: str, tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """Settings of functions with the URLs of services that only this test uses."""
    assert image
    with running_stack(tmp_path, environ={}) as stack:
        for name in (programs.TRIGGER, programs.CRON):
            stack.processes[name].stop()
        yield stack.addresses.settings


@contextmanager
def container(function: str, settings: Mapping[str, str]) -> Iterator[Runtime]:
    """Run an instance of a function in a container."""
    runtime = Runtime()
    name = f"goalstream-lambda-{uuid4()}"
    env = [f"--env={key}={each}" for key, each in environment(function, runtime, settings).items()]
    docker("run", "--detach", "--rm", "--name", name, *AS_LAMBDA, *env, IMAGE)
    try:
        yield runtime
    finally:
        docker("kill", name)
        runtime.close()


def test_an_event_of_each_kind_takes_a_goal_all_the_way(
    services: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """From the POST to reading the highlight, each with a cold start.

    With a read-only file system. The time of each to its first answer is printed.
    """
    timings: list[str] = []
    with ExitStack() as instances:

        def first_of(function: str, event: object) -> Any:
            began = time.monotonic()
            runtime = instances.enter_context(container(function, services))
            answer = runtime.invoke(event)
            timings.append(f"{function} {1000 * (time.monotonic() - began):.0f} ms")
            return answer

        posted = first_of("ingest_event", http("POST", "/events", GOAL))
        assert posted["statusCode"] == 202
        assert posted["multiValueHeaders"]["location"] == [f"/live/highlights/{ID}"]
        [failed] = first_of("consume_goal", kafka(GOAL, b"garbage"))["batchItemFailures"]
        assert failed == {"itemIdentifier": {"partition": "match-events-0", "offset": 1}}
        assert first_of("enrich_batch", SCHEDULE)["ready"] == 1
        read = first_of("get_highlight", http("GET", f"/highlights/{ID}"))
        assert orjson.loads(read["body"])["status"] == "READY"
        listed = first_of("list_highlights", http("GET", f"/highlights?matchId={MATCH}"))
        assert ID in listed["body"]
    with capsys.disabled():
        sys.stdout.write(f"\nfirst answer of the image for Lambda: {', '.join(timings)}\n")


def test_an_instance_that_cannot_start_says_why(image: str) -> None:
    """Its error names the missing variable."""
    assert image
    runtime = Runtime()
    env = environment("get_highlight", runtime, {})
    options = [f"--env={name}={value}" for name, value in env.items()]
    with pytest.raises(AssertionError):  # it ends, with a status that says that it failed
        docker("run", "--rm", *AS_LAMBDA, *options, image)
    with pytest.raises(FunctionError) as raised:
        runtime.invoke(SCHEDULE)
    runtime.close()
    assert raised.value.args == ("CannotStart", "cannot start: DATABASE_URL is missing")


def test_nothing_of_the_build_and_no_secret_is_in_it(image: str) -> None:
    """It has no compiler, no pip cache and no files for local use."""
    look = (
        "command -v gcc cc make; ls -d /root/.cache /tmp/.cache /build /app/local 2>/dev/null;"
        " find / -xdev -path '*/local/secrets*' 2>/dev/null; true"
    )
    assert docker("run", "--rm", "--entrypoint", "sh", image, "-c", look) == ""


def docker(*arguments: str) -> str:
    """Run a command of `docker`; return its standard output, or fail the test."""
    command = ["docker", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr or done.stdout}"
    return done.stdout
