"""What a function did not take: told, and not buried."""

from collections.abc import Sequence

from local.kafka_trigger.commands import output
from local.kafka_trigger.delivering.dead_letter import DeadLetter, NotWritten


class FunctionAway(Exception):
    """Nobody answered for as long as a batch may get; the message has the last word."""


class Failures:
    """Dead letters that are told; raises FunctionAway for those whose function is away."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, letters: Sequence[DeadLetter]) -> list[NotWritten]:
        """Tell of letters, and count them."""
        for letter in letters:
            if letter.is_unavailable:
                raise FunctionAway(letter.error)
            self.count += 1
            record = letter.record
            where = f"{record.topic()} {record.partition()}:{record.offset()}"
            output.note(f"not taken: {where}: {output.printable(letter.error)}")
        return []
