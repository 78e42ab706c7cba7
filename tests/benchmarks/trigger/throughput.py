"""Records a second through the trigger, beside loops without guarantees."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from local.stack import ROOT
from local.stack.stack import Stack
from tests.benchmarks.result import Result, at_least, at_most, interleaved
from tests.benchmarks.trigger import topic as topics
from tests.benchmarks.trigger.nothing import nothing
from tests.benchmarks.trigger.process import CLIENT, running
from tests.support.waiting import eventually

RECORDS = {1: 12_000, 10: 80_000, 100: 250_000, 500: 400_000}  # some seconds each, by batch size
SINGLES = 8_000
AIM, AIM_OVER_SINGLES = 0.7, 10
FROM_BATCH = 100  # at which it must beat one record a request
POLL_S = 0.05  # to look more often would cost the trigger what is measured


class Speed(NamedTuple):
    """Records a second, and the CPU seconds that 10,000 of them cost."""

    rate: float
    cpu_s: float


def throughput(stack: Stack, rounds: int) -> Iterator[Result]:
    """For each size of a batch, against the loop at that size and at one record a request."""
    topic = topics.filled(stack.kafka, max(RECORDS.values()))
    with nothing() as url:
        for batch, count in RECORDS.items():
            loop = partial(_loop, stack, topic, url)
            ours, peer, single = interleaved(
                rounds,
                partial(_trigger, stack, topic, url, batch, count),
                partial(loop, batch, count),
                partial(loop, 1, SINGLES),
            )
            what = f"trigger, {batch} records a batch"
            yield _faster(what, ours, peer, "bare loop", AIM)
            if batch >= FROM_BATCH:
                yield _faster(what, ours, single, "loop, one a request", AIM_OVER_SINGLES)
            yield _cpu(what, ours, peer)


def _trigger(stack: Stack, topic: str, url: str, batch: int, count: int) -> Speed:
    """From the first count that is seen to the last: joining a group is not measured."""
    with running(stack, topic, url, batch) as trigger:
        eventually(lambda: trigger.accepted() > 0)
        began, cpu_s, first = time.perf_counter(), trigger.cpu_s(), trigger.accepted()
        while (accepted := trigger.accepted()) < count:
            time.sleep(POLL_S)
        ended = time.perf_counter()
        accepted -= first
        return Speed(accepted / (ended - began), (trigger.cpu_s() - cpu_s) / accepted * 10_000)


def _loop(stack: Stack, topic: str, url: str, batch: int, count: int) -> Speed:
    task = {
        "settings": {"bootstrap.servers": stack.kafka, **CLIENT},
        "topic": topic, "partitions": topics.PARTITIONS, "count": count, "batch": batch, "url": url,
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.benchmarks.trigger.loop", json.dumps(task)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return Speed(*json.loads(done.stdout))


def _faster(
    what: str, ours: Sequence[Speed], peer: Sequence[Speed], against: str, aim: float
) -> Result:
    mine, its = ([each.rate for each in speeds] for speeds in (ours, peer))
    return at_least(what, "records/s", mine, its, against, aim)


def _cpu(what: str, ours: Sequence[Speed], peer: Sequence[Speed]) -> Result:
    mine, its = ([each.cpu_s * 1000 for each in speeds] for speeds in (ours, peer))
    return at_most(f"{what}: CPU per 10,000 records", "ms", mine, its, "bare loop")
