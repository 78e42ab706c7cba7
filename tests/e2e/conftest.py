"""The project in containers, built and started once for all tests."""

import time
from collections.abc import Iterator

import pytest

from local.stack.ports import free_port
from tests.support.drivers.containers import LASTING, SECRETS, Containers, new_secrets
from tests.support.drivers.docker import docker_runs

MENDED_WITHIN_S = 60


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """Containers that run; without Docker these tests are skipped."""
    if not docker_runs():
        pytest.skip("Docker with Compose does not run here")
    settings = {
        "GOALSTREAM_EVENTS_PORT": str(free_port()),
        "GOALSTREAM_HIGHLIGHTS_PORT": str(free_port()),
        **new_secrets(tmp_path_factory.mktemp("secrets"), *SECRETS),
    }
    containers = Containers("goalstream-e2e", settings)
    try:
        containers.up("--build")
        yield containers
    finally:
        containers.down()


@pytest.fixture
def containers(running: Containers) -> Iterator[Containers]:
    """Running containers with an empty table; what a test does to them is mended after it."""
    running.forget()
    yield running
    mend(running)


def mend(containers: Containers) -> None:
    """Wait until all are healthy, which they become by themselves; else start what is missing."""
    deadline = time.monotonic() + MENDED_WITHIN_S
    while not containers.are_whole():
        if time.monotonic() > deadline:
            containers.up("--no-recreate", *LASTING)
            return
        time.sleep(0.2)
