"""Scores, clock times and other numbers in a text, and which of them the facts do not give."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from functions.enrich_batch.guard.claims import HALF_TIME
from functions.enrich_batch.guard.pieces import SIDES, Piece, Role
from functions.enrich_batch.guard.reading import Reading

DASHES = frozenset("-–—‐\u2011−")
SCORE_MARKS = DASHES | {":"}
PRIMES = frozenset("'’′.")
BETWEEN = DASHES | frozenset(",:()")  # a side and a score, or two sides
POSSESSIVE = frozenset({"s", "の"})
UNITS = frozenset({"点"})
COUNTERS = frozenset({"点目"})  # make a number ordinal
APOSTROPHES = frozenset("'’")
MINUTE_SIGNS = frozenset("'’′")
PLUS, STOP, OPENING, CLOSING = map(frozenset, "+.()")
PEOPLE = frozenset({"player", "assist"})
MARGINS = frozenset({"ahead", "extends", "reduces"})
GOAL_WINDOW = 3  # pieces between "second goal" and the name of the side


@dataclass(slots=True)
class Score:
    """A score in a text: the indexes of its first piece and of the one after it."""

    start: int
    end: int
    numbers: tuple[int, int]


@dataclass(slots=True)
class Numbers:
    """The numbers of a text by what they say; `wrong` are (code, text)."""

    scores: list[Score]
    wrong: list[tuple[str, str]]
    minutes: list[str]  # the minute of the event, as often as it is told
    goals: set[str]  # the sides whose part of the score is told: Argentina 2, France 0
    match_names: frozenset[int] = frozenset()  # the indexes of the sides in a score or a match


def numbers_of(reading: Reading) -> Numbers:
    """Return the scores of a text, and the numbers that the facts do not give."""
    return _Parser(reading).parse()


class _Parser:
    def __init__(self, reading: Reading) -> None:
        self._pieces = reading.pieces
        self._reading = reading
        self._lexicon = reading.lexicon
        self._grounds = reading.grounds
        self._facts = reading.grounds.facts
        self._result = Numbers([], [], [], set())

    def parse(self) -> Numbers:
        end = 0
        for index in self._reading.numbers:
            if index >= end:
                end = self._clock(index) or self._score(index) or self._lone(index)
        self._result.match_names = _match_names(self._reading, self._result.scores)
        return self._result

    def _piece(self, index: int) -> Piece | None:
        return self._pieces[index] if 0 <= index < len(self._pieces) else None

    def _is(self, index: int, marks: frozenset[str]) -> bool:
        pieces = self._pieces
        return (
            0 <= index < len(pieces)
            and pieces[index].role is Role.MARK
            and pieces[index].text in marks
        )

    def _is_word(self, index: int, words: frozenset[str]) -> bool:
        piece = self._piece(index)
        return piece is not None and bool(piece.words) and piece.words[0] in words

    def _wrong(self, code: str, start: int, end: int) -> int:
        self._result.wrong.append((code, " ".join(p.text for p in self._pieces[start:end])))
        return end

    def _clock(self, start: int) -> int:
        """Read 90+2, 90'+2, 90.+2 or 90e+2; return the index after it, or 0."""
        index = start + 1
        while self._is(index, PRIMES) or self._is_word(index, self._lexicon.suffixes):
            index += 1
        added = self._piece(index + 1)
        if not self._is(index, PLUS) or added is None or added.role is not Role.NUMBER:
            return 0
        minute = (self._pieces[start].value, added.value)
        if minute != (self._facts.minute, self._facts.added_time):
            self._wrong("minute", start, index + 2)
        self._result.minutes.append(self._pieces[start].text)
        return index + 2

    def _score(self, start: int) -> int:
        """Read 2-0, 2:0, two to nil or 1-all; return the index after it, or 0."""
        first, second = self._pieces[start], self._piece(start + 2)
        end = start + 2 if self._is(start + 1, DASHES) else start + 1
        if self._is_word(end, self._lexicon.each):
            return self._add(Score(start, end + 1, (first.value, first.value)))
        if second is None or second.role is not Role.NUMBER:
            # "two-nil", "deux zéro"
            second = self._piece(start + 1)
            is_pair = second and second.role is Role.NUMBER and not first.is_article
            if second and is_pair and not (second.text[0].isdigit() or first.text[0].isdigit()):
                return self._add(Score(start, start + 2, (first.value, second.value)))
            return 0
        mark = self._pieces[start + 1]
        is_colon_of_text = mark.text == ":" and second.spaced and not mark.spaced
        is_mark = self._is(start + 1, SCORE_MARKS) and not is_colon_of_text
        if first.is_ordinal or not (is_mark or self._is_word(start + 1, self._lexicon.separators)):
            return 0
        return self._add(Score(start, start + 3, (first.value, second.value)))

    def _add(self, score: Score) -> int:
        self._result.scores.append(score)
        if score.numbers not in self._possible(score):
            self._wrong("score", score.start, score.end)
        return score.end

    def _possible(self, score: Score) -> Iterator[tuple[int, int]]:
        """Yield the scores that may stand here, in the order of the sides beside them."""
        beside = self._sides_beside(score)
        if len(beside) == 2 and beside[0] == beside[1]:
            return  # a side does not play itself
        named = beside or self._opponent_after(score.end) or self._teams_before(score.start)
        is_reversed = named == ["away", "home"]
        for known in (self._facts.score, self._facts.shootout_score):
            if known and not (is_reversed and beside):
                yield known
            if known and is_reversed:
                yield known[1], known[0]

    def _sides_beside(self, score: Score) -> list[str]:
        """Return the two sides that stand around a score, or both before or both after it."""
        before, after = self._team(score.start - 1, -1), self._team(score.end, 1)
        if before is not None and after is None:
            before, after = self._team(before - 1, -1), before
        elif after is not None and before is None:
            before, after = after, self._team(after + 1, 1)
        if before is None or after is None:
            return []
        return [self._pieces[before].side, self._pieces[after].side]

    def _team(self, index: int, step: int) -> int | None:
        """Return the index of the side's name that is there, after nothing but marks."""
        while (piece := self._piece(index)) and (
            (piece.role is Role.MARK and piece.text in BETWEEN) or "versus" in piece.codes
        ):
            index += step
        return index if piece and piece.side else None

    def _opponent_after(self, index: int) -> list[str]:
        """Return the side of the event and its opponent, if that is named after a score."""
        return self._opponent_within(index, index + 3)

    def _teams_before(self, index: int) -> list[str]:
        """Return the last two sides that are named before a score in its sentence."""
        start = max(first for first, _ in self._reading.sentences if first <= index)
        sides = [side for piece in self._pieces[start:index] if (side := piece.side)]
        return sides[-2:] if len(sides) > 1 else self._opponent_within(start, index)

    def _opponent_within(self, start: int, end: int) -> list[str]:
        """Return the side of the event and its opponent, if only that is named there."""
        for before, name in pairwise(self._pieces[start:end]):
            if "against" in before.codes and name.side:
                return [each for each in SIDES if each != name.side] + [name.side]
        return []

    def _lone(self, index: int) -> int:
        """Read any other number; return the index after it."""
        piece = self._pieces[index]
        end = index + 1
        if self._is_minute(index) and not piece.is_article:
            added_time = "added_time" in self._reading.codes and self._facts.added_time
            if piece.value not in (self._facts.minute, added_time or None, self._of_half(index)):
                self._wrong("minute", index, end)
            elif piece.value == self._facts.minute:
                self._result.minutes.append(piece.text)
        elif piece.is_article or (piece.value == 1 and "reduces" in self._codes(end)):
            pass  # un gol, 1点を返す
        elif self._is_beside_its_team(index):
            self._result.goals.add(self._pieces[index - 1].side)
        elif margin := self._margin_codes(index):
            if not self._is_margin(index, margin):
                self._wrong("number", index, end)
        elif self._is_goal_of_side(index):
            self._result.goals.add(self._grounds.side or "")
        else:
            self._wrong("number", index, end)
        return end

    def _is_minute(self, index: int) -> bool:
        """Return whether a number is said to be a minute by what is beside it."""
        piece = self._pieces[index]
        after = index + 1
        while self._is_word(after, self._lexicon.suffixes) or self._is(after, PRIMES | DASHES):
            if self._is(after, MINUTE_SIGNS):
                return True
            after += 1
        if self._is_word(after, self._lexicon.minute_after):
            return True
        if self._is_word(index - 1, self._lexicon.minute_before) or (
            self._is(index - 1, STOP) and self._is_word(index - 2, self._lexicon.minute_before)
        ):
            is_in_words = not piece.text[0].isdigit()
            is_article = not self._is_word(index - 1, self._lexicon.minute_after)  # el segundo
            return not (piece.is_ordinal and (self._is_goal(after) or (is_in_words and is_article)))
        in_brackets = self._is(index - 1, OPENING) and self._is(after, CLOSING)
        return in_brackets and (piece.is_ordinal or after > index + 1)

    def _of_half(self, index: int) -> int | None:
        """Return the minute as counted from the start of the half that is named before it."""
        minute = self._facts.minute
        if minute is None or "second_half" not in self._codes(index - 1):
            return None
        return minute - HALF_TIME

    def _codes(self, index: int) -> frozenset[str]:
        piece = self._piece(index)
        return piece.codes if piece else frozenset()

    def _is_goal(self, index: int) -> bool:
        return "goal" in self._codes(index)

    def _is_goal_of_side(self, index: int) -> bool:
        """Return whether it counts the goals of the side: Argentina's second goal."""
        piece = self._pieces[index]
        near = self._clause(index)
        names = [each for each in near if self._pieces[each].role is Role.NAME]
        side, score = self._grounds.side, self._facts.score
        if side is None or score is None or not names or "goal" not in self._grounds.proven:
            return False
        if self._is_of_person(index, names):
            return False
        before = max((each for each in names if each < index), default=-GOAL_WINDOW)
        after = min((each for each in names if each > index), default=None)
        is_possessive = before >= 0 and self._is_possessive(before, index)
        if after is not None and self._pieces[after].names == {side}:
            is_of_side = before < index - 1 or self._pieces[before].names == {side}
        else:
            is_of_side = before >= 0 and self._pieces[before].names == {side}
            is_of_side = is_of_side and (after is None or is_possessive)
        is_alone = all(self._pieces[each].names <= SIDES for each in names)
        is_total = is_alone or self._is_word(index - 1, self._lexicon.totals)
        counts = any(self._is_goal(each) for each in near) or (
            (is_possessive or after is not None) and (piece.is_ordinal or is_total)
        )
        return is_of_side and counts and piece.value == score[side == "away"]

    def _is_of_person(self, index: int, names: list[int]) -> bool:
        """Return whether it counts the goals of a player: Messi's third, three goals by Messi."""
        if self._is_word(index - 1, self._lexicon.possessives):
            return True
        people = [each for each in names if self._pieces[each].names & PEOPLE]
        if not self._pieces[index].is_ordinal and not self._is_word(index + 1, COUNTERS):
            return bool(people) and self._is_goal(index + 1)
        before = max((each for each in people if each < index), default=-1)
        return before >= 0 and self._is_possessive(before, index)

    def _is_possessive(self, name: int, index: int) -> bool:
        """Return whether what is at an index is said to be of a name."""
        return self._pieces[name + 1].text in APOSTROPHES or any(
            not POSSESSIVE.isdisjoint(piece.words) for piece in self._pieces[name + 1 : index]
        )

    def _margin_codes(self, index: int) -> frozenset[str]:
        """Return the claims beside a number that make it a lead: two goals ahead, leads by two."""
        if self._pieces[index].is_ordinal:
            return frozenset()
        after = self._after_dash(index + 1)
        if self._is_goal(after) or self._is_word(after, UNITS):
            after = self._after_dash(after + 1)
        before = index - 1 if self._codes(index - 1) else index - 2
        codes = self._codes(after) or self._codes(after + 1)
        return MARGINS & (codes | self._codes(before))

    def _is_margin(self, index: int, codes: frozenset[str]) -> bool:
        score = self._facts.score
        is_difference = score and self._pieces[index].value == abs(score[0] - score[1])
        return bool(is_difference and codes & self._grounds.proven)

    def _after_dash(self, index: int) -> int:
        return index + 1 if self._is(index, DASHES) else index

    def _clause(self, index: int) -> range:
        """Return the indexes of the pieces near one, as far as the next mark on each side."""
        first, last = index, index + 1
        while first > max(index - GOAL_WINDOW, 0) and not self._is_end(first - 1):
            first -= 1
        while last < min(index + GOAL_WINDOW + 1, len(self._pieces)) and not self._is_end(last):
            last += 1
        return range(first, last)

    def _is_end(self, index: int) -> bool:
        piece = self._pieces[index]
        return piece.role is Role.MARK and piece.text not in PRIMES

    def _is_beside_its_team(self, index: int) -> bool:
        """Return whether it is a side's own part of the score: Argentina 2, France 0."""
        before, after, score = self._piece(index - 1), self._piece(index + 1), self._facts.score
        side = before.side if before else ""
        ends = after is None or after.role in (Role.MARK, Role.NAME)
        return bool(side and score and ends) and self._pieces[index].value == (
            score[side == "away"] if score else None
        )


def _match_names(reading: Reading, scores: Sequence[Score]) -> frozenset[int]:
    """Return the names that are beside a score and the other side: A 2-0 B, A v B, A 2, B 0."""
    pieces = reading.pieces
    sides = [index for index in reading.names if pieces[index].side]
    if len({pieces[index].side for index in sides}) < len(SIDES):
        return frozenset()
    starts = {score.start: score.end for score in scores}
    ends = {score.end: score.start for score in scores}
    return frozenset(each for each in sides if _is_of_match(pieces, each, starts, ends))


def _is_of_match(
    pieces: Sequence[Piece], index: int, starts: Mapping[int, int], ends: Mapping[int, int]
) -> bool:
    for step in (1, -1):
        position, has_link = index + step, False
        while 0 <= position < len(pieces):
            piece = pieces[position]
            jump = starts.get(position) if step > 0 else ends.get(position + 1)
            if jump is not None:
                position, has_link = (jump if step > 0 else jump - 1), True
            elif "versus" in piece.codes or piece.role is Role.NUMBER:
                position, has_link = position + step, True
            elif piece.role is Role.MARK and piece.text in BETWEEN:
                has_link |= piece.text in "-–—"
                position += step
            else:
                break
        if 0 <= position < len(pieces) and has_link:
            other = pieces[position].side
            if other and other != pieces[index].side:
                return True
    return False
