"""Through the Kafka trigger into a function that does nothing, beside loops without promises."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from local.embedded import ROOT
from local.embedded.ports import HOST, free_port
from local.embedded.stack import Stack
from tests.benchmarks.peers import bare
from tests.benchmarks.result import Result, at_least, interleaved
from tests.benchmarks.waiting import wait_until

PARTITIONS = 6
RECORDS = {1: 4_000, 10: 20_000, 100: 60_000, 500: 100_000}  # some seconds each, by batch size
SINGLES = 2_000
AIM, AIM_OVER_SINGLES = 0.7, 10
FROM_BATCH = 100  # at which it must beat one record a request
CLIENT = {"fetch.wait.max.ms": 10}  # as local/triggers.toml has it
TAKEN = re.compile(r"^kafka_trigger_records_taken_total\{.*\} (\S+)$", re.MULTILINE)


def throughput(stack: Stack, rounds: int) -> Iterator[Result]:
    """Records a second for each size of a batch, against the loop at that size and at one."""
    folder = stack.state.root
    with bare(folder, status=200, body="{}") as url:
        for batch, count in RECORDS.items():
            topic = _filled(stack, count)
            loop = partial(_loop, stack, topic, url)
            ours, peer, single = interleaved(
                rounds,
                partial(_trigger, stack, topic, url, batch=batch, count=count),
                partial(loop, batch=batch, count=count),
                partial(loop, batch=1, count=min(SINGLES, count)),
            )
            what = f"trigger, {batch} records a batch"
            yield at_least(what, "records/s", ours, peer, "bare loop", AIM)
            if batch >= FROM_BATCH:
                against = "bare loop, one record a request"
                yield at_least(what, "records/s", ours, single, against, AIM_OVER_SINGLES)


def _filled(stack: Stack, count: int) -> str:
    """A new topic with so many records, spread over its partitions."""
    topic = f"bench-{uuid4()}"
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()
    producer = Producer({"bootstrap.servers": stack.kafka, "queue.buffering.max.messages": count})
    for number in range(count):
        value = json.dumps({"number": number, "text": "x" * 160})
        producer.produce(topic, value, str(number), partition=number % PARTITIONS)
    producer.flush()
    return topic


def _loop(stack: Stack, topic: str, url: str, *, batch: int, count: int) -> float:
    task = {
        "settings": {"bootstrap.servers": stack.kafka, **CLIENT},
        "topic": topic, "partitions": PARTITIONS, "count": count, "batch": batch, "url": url,
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.benchmarks.loop", json.dumps(task)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return float(done.stdout)


def _trigger(stack: Stack, topic: str, url: str, *, batch: int, count: int) -> float:
    """From the first count that is seen to the last: joining a group is not measured."""
    probes = free_port()
    with (
        _running(stack, _configuration(stack, topic, url, batch), probes),
        httpx.Client(base_url=f"http://{HOST}:{probes}", trust_env=False) as client,
    ):

        def taken() -> float:
            try:
                told = TAKEN.search(client.get("/metrics").text)
            except httpx.ConnectError:
                return 0
            return float(told[1]) if told else 0

        wait_until(lambda: taken() > 0)
        began, first = time.perf_counter(), taken()
        wait_until(lambda: taken() >= count)
        return (count - first) / (time.perf_counter() - began)


def _configuration(stack: Stack, topic: str, url: str, batch: int) -> Path:
    client = "\n".join(f"{name} = {value}" for name, value in CLIENT.items())
    path = stack.state.root / f"{topic}-{batch}.toml"
    path.write_text(
        f"""
        [kafka]
        bootstrap.servers = "{stack.kafka}"
        [kafka.consumer]
        session.timeout.ms = 6000
        {client}
        [[trigger]]
        name = "bench"
        topic = "{topic}"
        group = "{uuid4()}"
        function = "{url}"
        batch_size = {batch}
        auto_offset_reset = "earliest"
        """
    )
    return path


@contextmanager
def _running(stack: Stack, file: Path, probes: int) -> Iterator[None]:
    command: list[Any] = [sys.executable, "-m", "local.kafka_trigger", "run", file]
    with (stack.state.root / "bench-trigger.log").open("ab") as log:
        process = subprocess.Popen([*command, "--port", str(probes)], cwd=ROOT, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)
