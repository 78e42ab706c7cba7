"""The resident memory of each process of a stack, its workers included."""

import json
from collections.abc import Iterator, Mapping, Sequence
from uuid import uuid4

from local.stack.stack import Stack
from tests.benchmarks import process_tree
from tests.benchmarks.load import Load
from tests.benchmarks.result import Result
from tests.support.builders.events import FIRST_GOAL

MIB = 2**20
SERVICES = ("broker", "gateway", "postgres", "valkey")  # not ours; what they keep is theirs to say
GROWTH_AIM = 1.1
REQUESTS = 20_000  # a round: 50 rounds make a million
TENTHS = 10
CONNECTIONS = 64
SECONDS = 1.0


def resident(stack: Stack) -> dict[str, float]:
    """Return resident MiB by process name."""
    lasting = {name: each for name, each in stack.processes.items() if each.pid}
    return {name: process_tree.resident(each) / MIB for name, each in lasting.items()}


def growth(before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[Result]:
    """Compare each process' memory after the last round with that after the first."""
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


def over_requests(stack: Stack, rounds: int) -> Iterator[Result]:
    """Measure the memory of ingest-event and of a reader at each tenth of `REQUESTS` a round."""
    event = json.dumps({**FIRST_GOAL, "eventType": "corner"})
    lists = [f"/highlights?matchId={uuid4()}" for _ in range(CONNECTIONS)]
    yield _flat(stack, "ingest_event", ["/events"], event, rounds * REQUESTS)
    yield _flat(stack, "list_highlights", lists, "", rounds * REQUESTS)


def _flat(stack: Stack, name: str, targets: Sequence[str], body: str, requests: int) -> Result:
    load = Load(stack.functions[name].url, targets, CONNECTIONS, SECONDS, body)
    sent, tenths = 0, []
    for tenth in range(1, TENTHS + 1):
        while sent * TENTHS < requests * tenth:
            sent += load.run().requests
        tenths.append(process_tree.resident(stack.processes[name]) / MIB)
    first, most = tenths[0], max(tenths)
    return Result(
        f"resident memory, {name}, {sent:,} requests",
        " ".join(f"{each:.0f}" for each in tenths) + " MiB",
        f"{first:.0f} MiB after the first tenth",
        f"{most / first:.2f} ×",
        f"≤ {GROWTH_AIM:g} ×",
        most / first <= GROWTH_AIM,
    )
