"""A random walk of faults: triggers are killed, join and leave, and their function fails.

On Apache Kafka the broker is restarted too, and a trigger may be killed before it has joined.
"""

from random import Random

from tests.integration.walk.scenario import Scenario
from tests.support.drivers.apache_kafka import ApacheKafka
from tests.support.waiting import eventually

PER_PARTITION = 667  # 2,001 records in all
MOVES = ("kill", "outage", "join")
ON_APACHE_KAFKA = ("restart", "kill_while_joining")
SETTLED_WITHIN_S = 120
STEPS_ON = 5  # deliveries from one move to the next


class Walk:
    """One walk over a scenario, determined by its seed."""

    def __init__(self, seed: int, scenario: Scenario) -> None:
        self._random = Random(seed)
        self._scenario = scenario
        is_kafka = isinstance(scenario.broker, ApacheKafka)
        self._moves = [*MOVES, *(ON_APACHE_KAFKA if is_kafka else ())]
        self._random.shuffle(self._moves)

    def run(self) -> None:
        """Make all moves, and wait until all records are processed."""
        self._scenario.start()
        for part, move in enumerate(self._moves):
            self._write(part)
            self._go_on()
            getattr(self, f"_{move}")()
        self._leave()
        eventually(self._scenario.is_done, SETTLED_WITHIN_S)
        for name in list(self._scenario.running):
            assert self._scenario.stop(name) == 0

    def _write(self, part: int) -> None:
        """Write a part of the records, one of them poison."""
        parts = len(self._moves)
        begin, end = (PER_PARTITION * each // parts for each in (part, part + 1))
        self._scenario.write(end - begin, frozenset({self._random.randrange(begin, end)}))

    def _go_on(self, steps: int = STEPS_ON) -> None:
        begin = self._scenario.history.deliveries()
        eventually(
            lambda: (
                self._scenario.history.deliveries() >= begin + steps or self._scenario.is_done()
            ),
            SETTLED_WITHIN_S,
        )

    def _kill(self) -> None:
        """Kill an instance, and start another one."""
        name = self._random.choice(sorted(self._scenario.running))
        self._scenario.kill(name)
        self._scenario.start()

    def _outage(self) -> None:
        """Stop the function, and restart it when a killed instance is replaced."""
        self._scenario.function.die()
        self._kill()
        for each in self._scenario.running.values():
            each.wait_until_assigned()
        self._scenario.function.come_back()

    def _join(self) -> None:
        """Start a second instance, which leaves at the end or before."""
        name = self._scenario.start()
        self._scenario.running[name].wait_until_assigned()
        if self._random.random() < 0.5:
            self._go_on()
            self._leave()

    def _restart(self) -> None:
        """Kill the broker, and start it again."""
        broker = self._scenario.broker
        assert isinstance(broker, ApacheKafka)
        broker.restart()

    def _kill_while_joining(self) -> None:
        """Kill one more instance while it joins the group."""
        name = self._scenario.start()
        self._scenario.running[name].wait_until_started()
        self._go_on(self._random.randrange(STEPS_ON))
        self._scenario.kill(name)

    def _leave(self) -> None:
        """If there are two instances, stop one of them."""
        if len(self._scenario.running) > 1:
            name = self._random.choice(sorted(self._scenario.running))
            assert self._scenario.stop(name) == 0
