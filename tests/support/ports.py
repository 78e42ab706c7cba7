"""A part of the free ports for each worker of xdist, and for what its tests start."""

import os

import pytest

from local.stack.ports import DEFAULT_RANGE, RANGE
from tests.support.leftovers import hand_down


def share_ports(config: pytest.Config) -> None:
    """Take this worker's part, so that no other worker gives a port to a server of its own."""
    if worker := getattr(config, "workerinput", None):
        os.environ[RANGE] = part(int(worker["workerid"].removeprefix("gw")), worker["workercount"])
        hand_down(RANGE)


def part(number: int, count: int) -> str:
    """The n-th of so many equal parts of the ports, from 0 on."""
    first, last = map(int, DEFAULT_RANGE.split("-"))
    size = (last + 1 - first) // count
    return f"{first + number * size}-{first + (number + 1) * size - 1}"
