"""Discarding dead letters: they stay where they are, and a mark beside each says so."""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from select import select

from local.kafka_trigger.commands.dead_letter import StoredDeadLetter
from local.kafka_trigger.commands.errors import Interrupted, Misuse
from local.kafka_trigger.commands.marks import End, MarkWriter, why_not

LOOK_S = 0.1  # between two looks at whether it is to stop


class Discarder(MarkWriter):
    """Writes a mark for each letter, and nothing else."""

    def discard(
        self, letters: Iterable[StoredDeadLetter], is_stopping: Callable[[], bool]
    ) -> Iterator[End]:
        """Mark letters as discarded; tells of each when that is certain.

        Raises Interrupted if it is to stop while there are more.
        """
        for some in self._parts(letters, is_stopping):
            marked = self._mark(some, "discarded")
            for letter in some:
                yield End(letter, None, why_not(marked[letter.id]))


def confirm(count: int, topic: str, stopping: threading.Event) -> None:
    """Ask whether so many letters are to be discarded.

    Raises:
        Misuse: the answer is not yes, or there is no terminal to ask at.
        Interrupted: it is to stop before there is an answer.
    """
    if not sys.stdin.isatty():
        raise Misuse("dlq discard asks first: without a terminal, say --yes")
    sys.stderr.write(f"Discard {count} of {topic}? They are never redriven then. [y/N] ")
    sys.stderr.flush()
    while not select([sys.stdin], [], [], LOOK_S)[0]:
        if stopping.is_set():  # a signal ends no reading
            raise Interrupted
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Misuse("nothing was discarded")
