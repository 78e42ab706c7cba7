"""A range of free ports for each xdist worker and the processes that its tests start."""

import os

import pytest

from local.stack.ports import DEFAULT_RANGE, RANGE
from tests.support.leftovers import export_variable


def share_ports(config: pytest.Config) -> None:
    """Restrict free ports to this worker's range, so that no two workers use the same port."""
    if worker := getattr(config, "workerinput", None):
        os.environ[RANGE] = part(int(worker["workerid"].removeprefix("gw")), worker["workercount"])
        export_variable(RANGE)


def part(number: int, count: int) -> str:
    """Return the n-th of `count` equal ranges of ports; the first is 0."""
    first, last = map(int, DEFAULT_RANGE.split("-"))
    size = (last + 1 - first) // count
    return f"{first + number * size}-{first + (number + 1) * size - 1}"
