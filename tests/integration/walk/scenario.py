"""The scenario of a walk: a topic, a scripted function, and triggers that join and leave."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import orjson
from confluent_kafka import TopicPartition

from tests.integration.walk.function import TIMEOUT_S, Function
from tests.integration.walk.history import History, Killed, Overrun, Restarted, Written
from tests.integration.walk.sampler import Sampler
from tests.integration.walk.script import Script
from tests.support.drivers.broker import Broker
from tests.support.drivers.trigger_process import PARTITIONS, Trigger, World
from tests.support.servers.function_server import FunctionServer

PAD = "x" * 60
SETTINGS: dict[str, object] = {"batch_size": 10, "timeout_s": TIMEOUT_S}


class Scenario:
    """Records of all partitions in turn; `settings` are those of every instance's trigger.

    `protocol` is the group protocol of the instances.
    """

    def __init__(
        self, world: World, script: Script, takes_s: float, protocol: str, **settings: object
    ) -> None:
        world.max_poll_interval_ms = max(world.max_poll_interval_ms, int(takes_s * 2000))
        self.history = History()
        self.function = Function(world.function, script, self.history, takes_s)
        self.running: dict[str, Trigger] = {}
        self.dead_letters = world.broker.create()
        topic_partitions = [TopicPartition(world.topic, number) for number in range(PARTITIONS)]
        self.sampler = Sampler(
            world.broker.bootstrap_servers, world.topic, topic_partitions, self.dead_letters
        )
        self.broker = world.broker
        self._world = world
        self._protocol = protocol
        self._settings = SETTINGS | {"dead_letter_topic": self.dead_letters} | settings
        self._ends = dict.fromkeys(range(PARTITIONS), 0)
        self._processes = ExitStack()

    @contextmanager
    def sampling(self) -> Iterator["Scenario"]:
        """Sample until the end, when all running instances and the function are killed."""
        with (
            closing(self.function),
            self.sampler.watching(self.history),
            self.broker.before_restart(partial(self.history.add, Restarted())),
            self._processes,
        ):
            yield self

    def write(self, count: int, poison: frozenset[int] = frozenset()) -> None:
        """Write as many records to each partition; `poison` are offsets that are never accepted."""
        for partition, begin in self._ends.items():
            end = begin + count
            values = [
                orjson.dumps({"poison": offset in poison, "pad": PAD})
                for offset in range(begin, end)
            ]
            self._world.broker.write(self._world.topic, values, partition=partition)
            self._ends[partition] = end
            for offset in range(begin, end):
                self.history.add(Written(partition, offset))

    def is_done(self) -> bool:
        """Whether the group has committed all."""
        return self.sampler.committed == self._ends

    def start(self) -> str:
        """Start one more instance of the trigger; returns its name."""
        name = f"instance-{self._world.triggers + 1}"
        url = self.function.url(name)
        process = self._world.trigger(self._protocol, function=url, **self._settings)
        trigger = self.running[name] = self._processes.enter_context(process)
        self._processes.callback(self._note_overruns, trigger)
        return name

    def _note_overruns(self, trigger: Trigger) -> None:
        for line in trigger.log_lines("not finished in time, comes again"):
            for partition in line["partitions"]:
                self.history.add(Overrun(partition))

    def kill(self, name: str) -> None:
        """SIGKILL; where the broker may hang if it has not joined, once it has."""
        trigger = self.running.pop(name)
        if self.broker.hangs_on_a_kill_while_joining:
            trigger.wait_until_assigned()
        process = trigger.process
        self.history.add(Killed(name))
        process.kill()
        process.wait()

    def stop(self, name: str) -> int:
        """SIGTERM, once it listens to it; returns the exit status."""
        return self.running.pop(name).wait_until_started().end()


@contextmanager
def scenario(
    broker: Broker,
    folder: Path,
    script: Script,
    *,
    takes_s: float,
    protocol: str,
    program: tuple[str, ...] = ("local.kafka_trigger",),
    **settings: object,
) -> Iterator[Scenario]:
    """A scenario with a new topic and a function that runs."""
    folder.mkdir(exist_ok=True)
    with FunctionServer() as server, ExitStack() as stack:
        world = World(broker, server, folder)
        world.program = program
        yield stack.enter_context(Scenario(world, script, takes_s, protocol, **settings).sampling())
