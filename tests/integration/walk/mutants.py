"""Triggers that break a promise, for the walk to find out: `python -m … MUTANT run FILE`.

Each is the real command with one thing spoilt.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence

from local.kafka_trigger.cli import main
from local.kafka_trigger.consuming.back_pressure import BackPressure
from local.kafka_trigger.consuming.partition import Partition
from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.consuming.record_queue import RecordQueue
from local.kafka_trigger.delivering.delivery import Delivery
from local.process import shutdown


def commit_before_the_answer() -> None:
    """A batch counts as done when it is sent."""
    deliver = Delivery.deliver

    def too_early(self: Delivery, records: Sequence[Record], done: Callable[[int], None]) -> None:
        done(records[-1].offset() + 1)
        deliver(self, records, lambda _: None)

    Delivery.deliver = too_early  # type: ignore[method-assign]


def no_fence() -> None:
    """A partition that was taken away goes on with what it has."""
    Partition.stop = lambda _: None  # type: ignore[method-assign,assignment]
    Partition.drain = lambda *_: True  # type: ignore[method-assign]


def no_pause() -> None:
    """Who reads waits until the function has what was read, as simple consumers do."""

    def wait(_: BackPressure, queues: Mapping[int, RecordQueue]) -> None:
        while any(queue.first is not None for queue in queues.values()):
            time.sleep(0.01)

    BackPressure.apply = wait  # type: ignore[method-assign,assignment]


MUTANTS = {each.__name__: each for each in (commit_before_the_answer, no_fence, no_pause)}

if __name__ == "__main__":
    MUTANTS[sys.argv[1]]()
    sys.exit(main(shutdown.event_on_signals(), sys.argv[2:]))
