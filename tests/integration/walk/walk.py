"""A random walk of faults: triggers are killed, join and leave, and their function fails.

On Apache Kafka the broker is restarted too, and a trigger may be killed before it has joined.
"""

from random import Random

from tests.integration.walk.field import Field
from tests.support.drivers.apache_kafka import ApacheKafka
from tests.support.waiting import eventually

PER_PARTITION = 667  # 2,001 records in all
MOVES = ("kill", "outage", "join")
ON_APACHE_KAFKA = ("restart", "stillbirth")
SETTLED_WITHIN_S = 120
STEPS_ON = 5  # deliveries from one move to the next


class Walk:
    """One walk over a field, as its seed has it."""

    def __init__(self, seed: int, field: Field) -> None:
        self._random = Random(seed)
        self._field = field
        is_kafka = isinstance(field.broker, ApacheKafka)
        self._moves = [*MOVES, *(ON_APACHE_KAFKA if is_kafka else ())]
        self._random.shuffle(self._moves)

    def run(self) -> None:
        """Go all the way, and wait until the dust has settled."""
        self._field.start()
        for part, move in enumerate(self._moves):
            self._write(part)
            self._go_on()
            getattr(self, f"_{move}")()
        self._leave()
        eventually(self._field.is_done, SETTLED_WITHIN_S)
        for name in list(self._field.running):
            assert self._field.stop(name) == 0

    def _write(self, part: int) -> None:
        """A part of the records, one of them poison."""
        parts = len(self._moves)
        begin, end = (PER_PARTITION * each // parts for each in (part, part + 1))
        self._field.write(end - begin, frozenset({self._random.randrange(begin, end)}))

    def _go_on(self, steps: int = STEPS_ON) -> None:
        begin = self._field.history.deliveries()
        eventually(
            lambda: self._field.history.deliveries() >= begin + steps or self._field.is_done(),
            SETTLED_WITHIN_S,
        )

    def _kill(self) -> None:
        """An instance dies, and another one is started."""
        name = self._random.choice(sorted(self._field.running))
        self._field.kill(name)
        self._field.start()

    def _outage(self) -> None:
        """The function dies, and lives again when a killed instance has been replaced."""
        self._field.function.die()
        self._kill()
        for each in self._field.running.values():
            each.wait_until_assigned()
        self._field.function.come_back()

    def _join(self) -> None:
        """A second instance comes, and leaves at the end or before."""
        name = self._field.start()
        self._field.running[name].wait_until_assigned()
        if self._random.random() < 0.5:
            self._go_on()
            self._leave()

    def _restart(self) -> None:
        """The broker dies, and is started again."""
        broker = self._field.broker
        assert isinstance(broker, ApacheKafka)
        broker.restart()

    def _stillbirth(self) -> None:
        """One more instance is killed on its way into the group."""
        name = self._field.start()
        self._field.running[name].wait_until_started()
        self._go_on(self._random.randrange(STEPS_ON))
        self._field.kill(name)

    def _leave(self) -> None:
        """If there are two, one of them leaves in good order."""
        if len(self._field.running) > 1:
            name = self._random.choice(sorted(self._field.running))
            assert self._field.stop(name) == 0
