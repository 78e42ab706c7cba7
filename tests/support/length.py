"""How long the tests go on: those that are marked `long` run in `make test-long` only."""

import os
from typing import Any

import pytest

LENGTH = os.environ.get("GOALSTREAM_TEST_LENGTH", "short")
IS_LONG = LENGTH == "long"
MARK = "long"
LEFT_OUT = pytest.StashKey[int]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long tests of a short run."""
    if IS_LONG:
        return
    long = [each for each in items if each.get_closest_marker(MARK)]
    items[:] = [each for each in items if each not in long]
    config.hook.pytest_deselected(items=long)
    config.stash[LEFT_OUT] = len(long)
    if hasattr(config, "workeroutput"):
        config.workeroutput[MARK] = len(long)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker of xdist has left out the same tests; the controller collects none itself."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get(MARK, 0)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how many were left out, and what runs them."""
    if count := config.stash.get(LEFT_OUT, 0):
        terminalreporter.line(f"{count} long tests left out: GOALSTREAM_TEST_LENGTH=long runs them")
