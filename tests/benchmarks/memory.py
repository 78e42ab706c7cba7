"""The resident memory of each process of a stack, its workers included."""

from collections.abc import Iterator, Mapping

import psutil

from local.embedded.stack import Stack
from tests.benchmarks.result import Result

MIB = 2**20
SERVICES = ("broker", "gateway", "postgres", "valkey")  # not ours; what they keep is theirs to say
GROWTH_AIM = 1.1


def resident(stack: Stack) -> dict[str, float]:
    """MiB by the process' name."""
    lasting = {name: each.pid for name, each in stack.processes.items() if each.pid}
    return {name: _with_children(pid) / MIB for name, pid in lasting.items()}


def _with_children(pid: int) -> int:
    process = psutil.Process(pid)
    return sum(each.memory_info().rss for each in [process, *process.children(recursive=True)])


def growth(before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[Result]:
    """What each holds after the last round, beside what it held after the first."""
    for name in sorted(after.keys() & before.keys()):
        ratio = after[name] / before[name]
        yield Result(
            f"resident memory, {name}",
            f"{after[name]:,.0f} MiB",
            f"{before[name]:,.0f} MiB after the first round",
            f"{ratio:.2f} ×",
            "" if name in SERVICES else f"≤ {GROWTH_AIM:g} ×",
            name in SERVICES or ratio <= GROWTH_AIM,
        )
