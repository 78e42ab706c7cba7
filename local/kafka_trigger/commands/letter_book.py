"""What a dead-letter topic holds for a trigger."""

from collections.abc import Iterable
from typing import Literal

from local.kafka_trigger.commands.letter import Letter, mark_of
from local.kafka_trigger.record import Record

State = Literal["open", "redriven"]


class LetterBook:
    """A trigger's dead letters: each original record once, and whether it was redriven.

    A burial may have been repeated. Of the copies of a letter the first stands for all, and a
    mark of one closes all. `letters` are in the order of their original places.
    """

    def __init__(self, records: Iterable[Record], trigger: str) -> None:
        marked: set[str] = set()
        copies: list[Letter] = []
        for record in records:
            if mark := mark_of(record):
                marked.add(mark)
            elif (letter := Letter.of(record)) and letter.trigger == trigger:
                copies.append(letter)
        firsts = {each.origin: each for each in reversed(copies)}
        self.letters = sorted(firsts.values(), key=lambda each: each.place)
        self._by_id = {each.id: firsts[each.origin] for each in copies}
        self._redriven = {each.origin for each in copies if each.id in marked}

    def find(self, letter_id: str) -> Letter | None:
        """The letter of an id, or of a copy's."""
        return self._by_id.get(letter_id)

    def state(self, letter: Letter) -> State:
        """What became of a letter."""
        return "redriven" if letter.origin in self._redriven else "open"

    def open(self) -> list[Letter]:
        """The letters that have not been redriven."""
        return [each for each in self.letters if self.state(each) == "open"]
