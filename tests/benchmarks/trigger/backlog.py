"""The trigger's memory while a million records wait for a slow function."""

import time
from collections.abc import Iterator

from local.stack.stack import Stack
from tests.benchmarks.memory import MIB
from tests.benchmarks.result import Result
from tests.benchmarks.trigger import topic as topics
from tests.benchmarks.trigger.nothing import nothing
from tests.benchmarks.trigger.process import Running, running
from tests.support.waiting import eventually

RECORDS = {False: 10_000, True: 1_000_000}
TAKES_S = 3.0
BATCHES = 8  # of each partition, while its memory is looked at
BATCH = 100
POLL_S = 0.1
AIM = 1.5


def backlog(stack: Stack, _rounds: int) -> Iterator[Result]:
    """Compare its peak memory with that when few records waited."""
    few, many = (_most_mib(stack, count) for count in RECORDS.values())
    yield Result(
        "trigger's memory, a million records wait",
        f"{many:.0f} MiB",
        f"{few:.0f} MiB with ten thousand",
        f"{many / few:.2f} ×",
        f"≤ {AIM:g} ×",
        many / few <= AIM,
    )


def _most_mib(stack: Stack, records: int) -> float:
    topic = topics.filled(stack.kafka, records)
    with nothing(TAKES_S) as url, running(stack, topic, url, BATCH) as trigger:
        eventually(lambda: trigger.accepted() > 0)
        return max(_samples(trigger)) / MIB


def _samples(trigger: Running) -> Iterator[float]:
    while trigger.accepted() < BATCHES * BATCH * topics.PARTITIONS:
        yield trigger.resident()
        time.sleep(POLL_S)
