"""The project in containers, built and started once for all tests."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from local.stack.ports import free_port
from tests.support.drivers.containers import LASTING, SECRETS, Containers, new_secrets
from tests.support.drivers.docker import docker_runs

RESTORED_WITHIN_S = 60


ABOUT_HALF = ("tests/e2e/test_faults.py", "tests/e2e/test_isolation.py")  # of the time


class InTwoHalves(LoadScopeScheduling):  # type: ignore[misc]
    """Splits the tests between two xdist workers, as each starts the containers."""

    def _split_scope(self, nodeid: str) -> str:
        return str(nodeid.startswith(ABOUT_HALF))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> InTwoHalves:
    """Distribute the tests among the workers."""
    return InTwoHalves(config, log)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Containers]:
    """Running containers; without Docker these tests are skipped."""
    if not docker_runs():
        pytest.skip("Docker with Compose does not run here")
    settings = {
        "GOALSTREAM_EVENTS_PORT": str(free_port()),
        "GOALSTREAM_HIGHLIGHTS_PORT": str(free_port()),
        **new_secrets(tmp_path_factory.mktemp("secrets"), *SECRETS),
    }
    containers = Containers(f"goalstream-e2e-{worker_id}", settings)
    try:
        containers.up("--build")
        yield containers
    finally:
        containers.down()


@pytest.fixture
def containers(running: Containers) -> Iterator[Containers]:
    """Running containers with an empty table; they are restored after each test."""
    running.clear()
    yield running
    restore(running)


def restore(containers: Containers) -> None:
    """Wait until all are healthy by themselves; otherwise start the missing ones."""
    deadline = time.monotonic() + RESTORED_WITHIN_S
    while not containers.are_healthy():
        if time.monotonic() > deadline:
            containers.up("--no-recreate", *LASTING)
            return
        time.sleep(0.2)
