"""What a function did not take: kept for the report, and not buried."""

from collections.abc import Sequence

from local.kafka_trigger.answer import NOBODY_THERE
from local.kafka_trigger.dead_letter import DeadLetter


class FunctionAway(Exception):
    """Nobody answered for as long as a batch may get; the message has the last word."""


class Failures:
    """Dead letters in memory; raises FunctionAway for those whose function is away."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []

    def write(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Keep letters."""
        for letter in letters:
            is_away = letter.status is None or letter.status in NOBODY_THERE
            if letter.reason == "age" and is_away:
                raise FunctionAway(letter.error)
            self.letters.append(letter)
        return []
