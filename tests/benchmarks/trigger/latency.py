"""The latency of a single record to a function, beside that to a bare consumer."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from statistics import median

from confluent_kafka import Consumer, Producer, TopicPartition

from local.stack.stack import Stack
from tests.benchmarks.result import Result
from tests.benchmarks.trigger import topic as topics
from tests.benchmarks.trigger.process import CLIENT, running
from tests.support.servers.function_server import FunctionServer, Reply, Request
from tests.support.waiting import eventually

RECORDS = 100
PAUSE_S = 0.02  # so that each is alone
AIM_MS = 10


def lone_record(stack: Stack, rounds: int) -> Iterator[Result]:
    """Milliseconds from `produce` to the function, and to a bare consumer."""
    ours, bare = [], []
    for _ in range(rounds):
        topic = topics.new(stack.kafka)
        with _function() as (url, arrivals), running(stack, topic, url, 100) as trigger:
            eventually(trigger.is_ready)
            ours.append(_median_ms(stack, topic, arrivals))
        with _consumer(stack, topic) as arrivals:
            bare.append(_median_ms(stack, topic, arrivals))
    figure, its = median(ours), median(bare)
    yield Result(
        "trigger, a lone record",
        f"{figure:.1f} ms",
        f"{its:.1f} ms, bare consumer",
        f"{figure:.1f} ms",
        f"≤ {AIM_MS} ms",
        figure <= AIM_MS,
    )


class _Arrivals:
    """The arrival time of the last record."""

    def __init__(self) -> None:
        self.at = 0.0
        self._came = threading.Event()

    def note(self) -> None:
        self.at = time.perf_counter()
        self._came.set()

    def wait(self) -> None:
        if not self._came.wait(30):
            raise TimeoutError("a record did not arrive")
        self._came.clear()


def _median_ms(stack: Stack, topic: str, arrivals: _Arrivals) -> float:
    producer = Producer({"bootstrap.servers": stack.kafka, "linger.ms": 0})
    delays = []
    for number in range(-1, RECORDS):
        time.sleep(PAUSE_S)
        began = time.perf_counter()
        producer.produce(topic, str(number), partition=0)
        producer.poll(0)
        arrivals.wait()
        if number >= 0:  # the first one finds all connections closed
            delays.append((arrivals.at - began) * 1000)
    producer.flush()
    return median(delays)


@contextmanager
def _function() -> Iterator[tuple[str, _Arrivals]]:
    arrivals = _Arrivals()

    def reply(_: Request) -> Reply:
        arrivals.note()
        return Reply()

    with FunctionServer(reply) as function:
        yield function.url, arrivals


@contextmanager
def _consumer(stack: Stack, topic: str) -> Iterator[_Arrivals]:
    arrivals, stopping = _Arrivals(), threading.Event()
    settings = {"bootstrap.servers": stack.kafka, "group.id": "bare", **CLIENT}
    with closing(Consumer({**settings, "enable.auto.commit": False})) as consumer:
        end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1]
        consumer.assign([TopicPartition(topic, 0, end)])
        thread = threading.Thread(target=_consume, args=(consumer, arrivals.note, stopping))
        thread.start()
        yield arrivals
        stopping.set()
        thread.join()


def _consume(consumer: Consumer, note: Callable[[], None], stopping: threading.Event) -> None:
    while not stopping.is_set():
        if consumer.consume(1, 0.1):
            note()
