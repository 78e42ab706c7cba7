"""A pytest plugin for the length of a run: tests marked `long` run in `make test-long` only."""

import os
from typing import Any

import pytest

LENGTH = os.environ.get("GOALSTREAM_TEST_LENGTH", "short")
IS_LONG = LENGTH == "long"
MARK = "long"
LEFT_OUT = pytest.StashKey[int]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the long tests in a short run."""
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
    """Take the count from an xdist worker: all deselect the same tests, the controller none."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get(MARK, 0)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Report how many tests were deselected, and what runs them."""
    if count := config.stash.get(LEFT_OUT, 0):
        terminalreporter.line(f"{count} long tests left out: GOALSTREAM_TEST_LENGTH=long runs them")
