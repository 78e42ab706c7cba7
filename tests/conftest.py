"""What all tests share: how long they go on, an HTTP client, and that nothing outlives them."""

import os
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, settings

from tests.support import leftovers
from tests.support.drivers.asgi import check_lines_end
from tests.support.leftovers import pytest_sessionfinish
from tests.support.length import (
    LENGTH,
    pytest_collection_modifyitems,
    pytest_terminal_summary,
    pytest_testnodedown,
)
from tests.support.ports import share_ports

__all__ = [
    "http",
    "pytest_collection_modifyitems",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]

# `make test-long` walks further; the time a step takes says nothing on a busy machine.
settings.register_profile("short", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("short"), max_examples=1_000)
settings.load_profile(LENGTH)

# What stands in for a cloud here is reached without the proxy that a laptop may have.
for name in ("no_proxy", "NO_PROXY"):
    here = "127.0.0.1,localhost,::1"
    os.environ[name] = f"{os.environ[name]},{here}" if os.environ.get(name) else here


def pytest_configure(config: pytest.Config) -> None:
    """Look after what the tests start from now on."""
    leftovers.pytest_configure(config)
    share_ports(config)


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A client that asks no proxy, and looks at the end of each JSON answer."""

    def look(answer: httpx.Response) -> None:
        answer.read()
        check_lines_end(answer)

    with httpx.Client(timeout=20, trust_env=False, event_hooks={"response": [look]}) as client:
        yield client
