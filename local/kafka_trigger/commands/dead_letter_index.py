"""What a dead-letter topic holds for a trigger, however much that is."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Literal, NamedTuple

from local.kafka_trigger.commands.bit_set import BitSet
from local.kafka_trigger.commands.dead_letter import (
    MARKS,
    ClosedState,
    Mark,
    StoredDeadLetter,
    mark_of,
)
from local.kafka_trigger.commands.lambda_dead_letter import letters_of_lambda
from local.kafka_trigger.commands.topic_reader import Span
from local.kafka_trigger.record import Record

State = Literal["open"] | ClosedState

DIGESTS = 2**27  # 16 MiB of bits: of a million letters some 4,000 are taken for copies at first


class Entry(NamedTuple):
    """A letter, what became of it, and the ids that name it: its own, and its copies'."""

    letter: StoredDeadLetter
    state: State
    ids: Set[str]


class DeadLetterIndex:
    """A trigger's dead letters: each original record once, and what became of it.

    AWS Lambda's letters of the trigger's `topic` are among them.

    A burial may have been repeated. Of the copies of a letter the first stands for all, and a
    mark of one closes all. Marks and copies come after a letter, so the topic is read once for
    these and once more, with each use of `entries`, for the letters. `read` reads all of `spans`,
    always in the same order. No letter is kept: a bit for each offset is, and what is repeated.
    """

    def __init__(
        self,
        spans: Mapping[int, Span],
        read: Callable[[], Iterable[Record]],
        trigger: str,
        topic: str | None = None,
    ) -> None:
        self._spans = spans
        self._read = read
        self._trigger = trigger
        self._topic = topic
        self._marked = {
            (state, number): BitSet(span.end - span.start)
            for state in MARKS.values()
            for number, span in spans.items()
        }
        self._marked_parts: set[Mark] = set()
        self._copies: dict[bytes, list[str]] = defaultdict(list)
        self._note_marks_and_copies()

    def entries(self) -> Iterator[Entry]:
        """The letters, in the order in which they were buried in each partition."""
        repeated: set[bytes] = set()
        for letter in (each for record in self._read() for each in self._letters(record)):
            if letter.origin in repeated:
                continue
            copies = self._copies.get(letter.origin, ())
            if copies:
                repeated.add(letter.origin)
            ids = {letter.id, *copies}
            yield Entry(letter, self._state(ids), ids)

    def open(self) -> Iterator[StoredDeadLetter]:
        """The letters that have neither been redriven nor discarded."""
        return (each.letter for each in self.entries() if each.state == "open")

    def _note_marks_and_copies(self) -> None:
        """Note each mark, and each letter that is perhaps a copy: its digest was there before."""
        digests = BitSet(DIGESTS)
        for record in self._read():
            if mark := mark_of(record):
                self._mark(mark)
                continue
            for letter in self._letters(record):
                digest = int.from_bytes(letter.origin[:8]) % DIGESTS
                if digest in digests:
                    self._copies[letter.origin].append(letter.id)
                digests.add(digest)

    def _letters(self, record: Record) -> list[StoredDeadLetter]:
        """What of the trigger's a record holds: none, one, or several of Lambda's."""
        if mark_of(record):
            return []
        if letter := StoredDeadLetter.of(record):
            return [letter] if letter.trigger == self._trigger else []
        return letters_of_lambda(record, self._topic or "")

    def _mark(self, mark: Mark) -> None:
        if place := self._place(mark.letter_id):
            self._marked[mark.state, place[0]].add(place[1])
        elif re.fullmatch(r"\d+:\d+\.\d+", mark.letter_id):
            self._marked_parts.add(mark)

    def _state(self, ids: Set[str]) -> State:
        for state in MARKS.values():
            if any(self._is_marked(Mark(each, state)) for each in ids):
                return state
        return "open"

    def _is_marked(self, mark: Mark) -> bool:
        if mark in self._marked_parts:
            return True
        place = self._place(mark.letter_id)
        return place is not None and place[1] in self._marked[mark.state, place[0]]

    def _place(self, letter_id: str) -> tuple[int, int] | None:
        """A letter's partition and its place in the span of that, if it is within one."""
        try:
            partition, offset = map(int, letter_id.split(":"))
        except ValueError:
            return None
        span = self._spans.get(partition)
        if span is None or not span.start <= offset < span.end:
            return None
        return partition, offset - span.start
