"""Mutants of the trigger, for the walk to detect: `python -m … MUTANT run FILE`.

Each is the real command with one guarantee broken.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence

from local.kafka_trigger.cli import main
from local.kafka_trigger.consuming.back_pressure import BackPressure
from local.kafka_trigger.consuming.partition_worker import PartitionWorker
from local.kafka_trigger.consuming.record_queue import RecordQueue
from local.kafka_trigger.delivering.retrying_deliverer import RetryingDeliverer
from local.kafka_trigger.record import Record
from local.process import shutdown


def commit_before_the_answer() -> None:
    """A batch counts as processed when it is sent."""
    deliver = RetryingDeliverer.deliver

    def too_early(
        self: RetryingDeliverer, records: Sequence[Record], on_progress: Callable[[int], None]
    ) -> None:
        on_progress(records[-1].offset() + 1)
        deliver(self, records, lambda _: None)

    RetryingDeliverer.deliver = too_early  # type: ignore[method-assign]


def no_fence() -> None:
    """A revoked partition continues to deliver its records."""
    PartitionWorker.stop = lambda _: None  # type: ignore[method-assign,assignment]
    PartitionWorker.drain = lambda *_: True  # type: ignore[method-assign]


def no_pause() -> None:
    """The thread that polls waits until the function has all records, as in simple consumers."""

    def wait(_: BackPressure, queues: Mapping[int, RecordQueue]) -> None:
        while any(queue.first is not None for queue in queues.values()):
            time.sleep(0.01)

    BackPressure.apply = wait  # type: ignore[method-assign,assignment]


MUTANTS = {each.__name__: each for each in (commit_before_the_answer, no_fence, no_pause)}

if __name__ == "__main__":
    MUTANTS[sys.argv[1]]()
    sys.exit(main(shutdown.event_on_signals(), sys.argv[2:]))
