"""Who did what for whom: names of the facts that stand in a role that is not theirs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from functions.enrich_batch.guard.numbers import (
    APOSTROPHES,
    BETWEEN,
    DASHES,
    PEOPLE,
    POSSESSIVE,
    Numbers,
)
from functions.enrich_batch.guard.pieces import SIDES, Piece, Role
from functions.enrich_batch.guard.reading import Reading

_Told = TypeVar("_Told")

NEAR = 3  # pieces between "assisted by" and the name
ASSISTS = frozenset({"assist", "assist_by", "assist_of"})
NO_WORD = ""  # a name, a number or a mark among words
AND = frozenset({"and", "und", "y", "et", "e", "\u0648"})
SUBJECTS = frozenset({"が", "は"})  # after the subject of a sentence
PLACES = frozenset({"で"})  # after a place, and after a means
# What only the scorer does, so no assist is the subject of it.
DEEDS = frozenset(
    {"goal", "opens", "equalises", "leads", "doubles", "extends", "reduces", "penalty", "who"}
)


def wrong_sides(reading: Reading, numbers: Numbers) -> Iterator[str]:
    """Yield the names of a side that the event is not of, but where a score or a match is told."""
    scorer = reading.grounds.scorer_role
    pieces = reading.pieces
    for index in reading.names:
        piece = pieces[index]
        side = piece.side
        if not side or not PEOPLE.isdisjoint(piece.names):  # Jordan may be the player too
            continue
        before = _before(pieces, index)
        is_opponent = before is not None and "against" in before.codes
        if is_opponent and (scorer not in SIDES or side == scorer):
            yield f"{before.text if before else ''} {piece.text}"
        elif side != scorer and not (
            is_opponent
            or index in numbers.match_names
            or ("own_goal" in reading.grounds.proven and _is_of_player(pieces, index))
        ):
            yield piece.text


def clauses_of_opponents(reading: Reading) -> Iterator[str]:
    """Yield the other side where a clause tells of it: "1–2 Senegal, who are still behind"."""
    if "who" not in reading.codes:
        return
    pieces, scorer = reading.pieces, reading.grounds.scorer_role
    for index, piece in enumerate(pieces):
        if "who" not in piece.codes:
            continue
        name = index - 1
        while name >= 0 and (
            pieces[name].role in (Role.MARK, Role.NUMBER) or not AND.isdisjoint(pieces[name].words)
        ):
            name -= 1
        if name >= 0 and pieces[name].side and pieces[name].side != scorer:
            yield f"{pieces[name].text} {piece.text}"


def _before(pieces: list[Piece], index: int) -> Piece | None:
    return pieces[index - 1] if 0 < index <= len(pieces) else None


def _is_of_player(pieces: list[Piece], index: int) -> bool:
    """Return whether a side is that of the player: Croatia's Mandžukić, Mandžukić (Croatia)."""
    if index >= 2 and pieces[index - 1].text == "(" and "player" in pieces[index - 2].names:
        return True
    position = index + 1
    while position < len(pieces) and pieces[position].text in ("'", "’", "s"):
        position += 1
    return index + 1 < position < len(pieces) and "player" in pieces[position].names


def wrong_roles(reading: Reading) -> Iterator[str]:
    """Yield the names of an assist without its word, and such words beside another name."""
    if "assist" not in reading.grounds.proven:
        return
    pieces = reading.pieces
    bound: set[int] = set()
    for first, last in reading.sentences:
        for index in range(first, last):
            if codes := pieces[index].codes & ASSISTS:
                name = _name_of(pieces, index, first, last, codes)
                if name is not None and "assist" not in pieces[name].names:
                    yield f"{pieces[index].text} {pieces[name].text}"
                if name is not None:
                    bound.add(name)
    for index in reading.names:
        piece = pieces[index]
        if piece.names & PEOPLE == {"assist"} and (index not in bound or _does_it(pieces, index)):
            yield piece.text


def wrong_leaders(reading: Reading) -> Iterator[str]:
    """Yield a player who leads, and "makes it Iran lead"."""
    if "only_side" not in reading.codes:
        return
    pieces, totals = reading.pieces, reading.lexicon.totals
    for index, piece in enumerate(pieces):
        if "only_side" not in piece.codes:
            continue
        name = index - 1
        while name > 0 and not SUBJECTS.isdisjoint(pieces[name].words):
            name -= 1
        if name < 0 or pieces[name].role is not Role.NAME:
            continue
        before = _before(pieces, name)
        is_player = not pieces[name].names - PEOPLE
        # "Con gol de Messi lidera Argentina"
        is_subject = before is None or before.role is Role.MARK
        if (is_player and is_subject) or (before and not totals.isdisjoint(before.words)):
            yield f"{pieces[name].text} {piece.text}"


def sides_as_places(reading: Reading) -> Iterator[str]:
    """Yield a side after "in", but in Argentina's favour and in Argentina v France."""
    if "within" not in reading.codes:
        return
    pieces = reading.pieces
    for index in reading.names:
        if not pieces[index].side:
            continue
        before, after = _before(pieces, index), _before(pieces, index + 2)
        if after and after.text in PLACES:
            yield f"{pieces[index].text} {after.text}"
        elif before and "within" in before.codes and before.text not in PLACES:
            is_free = after and (
                after.role is Role.NUMBER
                or "versus" in after.codes
                or after.text in DASHES | APOSTROPHES | POSSESSIVE
            )
            if not is_free:
                yield f"{before.text} {pieces[index].text}"


def _does_it(pieces: list[Piece], index: int) -> bool:
    """Return whether who assisted is told as the scorer: Mac Allister scores, …, who scores."""
    after = pieces[index + 1 : index + 3]
    follows = next((piece for piece in after if piece.text not in (",", "が")), None)
    if follows is None or follows.codes & ASSISTS or not follows.codes & DEEDS:
        return False
    # "nach Vorlage von Mac Allister trifft Di María"
    is_after_word = index > 0 and "assist_by" in pieces[index - 1].codes
    return "who" in follows.codes or not is_after_word


def _name_of(
    pieces: list[Piece], index: int, first: int, last: int, codes: frozenset[str]
) -> int | None:
    """Return the index of the person whom a word of the assist is about."""
    after = range(index + 1, min(index + 1 + NEAR, last))
    before = range(index - 1, max(index - 1 - NEAR, first - 1), -1)
    ways = {"assist_by": (after,), "assist_of": (before,)}
    for way in ways.get(min(codes), (after, before)):
        for position in way:
            if pieces[position].role is Role.NAME and pieces[position].names & PEOPLE:
                return position
    return None


def repetitions(reading: Reading, numbers: Numbers) -> Iterator[str]:
    """Yield what a text tells twice: its score, its minute, a name or words within a sentence."""
    scores = [score.numbers for score in numbers.scores]
    if len(numbers.goals) == len(SIDES) and reading.grounds.facts.score is not None:
        scores.append(reading.grounds.facts.score)
    if len(scores) > 1:
        yield from ("–".join(map(str, score)) for score in _twice(map(_in_order, scores)))
    yield from numbers.minutes[1:]
    told = [(reading.pieces[i].names, i in numbers.match_names) for i in reading.names]
    if len({*told}) < len(told):
        for first, last in reading.sentences:
            yield from _names_again(reading, numbers, first, last)
    words = [word for piece in reading.pieces if piece.role is Role.WORD for word in piece.words]
    if len({*words}) < len(words):
        for first, last in reading.sentences:
            yield from _words_again(reading.pieces[first:last])


def _in_order(score: tuple[int, int]) -> tuple[int, ...]:
    return tuple(sorted(score))


def _names_again(reading: Reading, numbers: Numbers, first: int, last: int) -> Iterator[str]:
    """Yield the role of each name that a sentence has twice, in a score or twice out of one."""
    pieces = reading.pieces
    names = [
        (*pieces[index].names, index in numbers.match_names)
        for index in reading.names
        if first <= index < last and len(pieces[index].names) == 1 and not _goes_on(pieces, index)
    ]
    return (str(name[0]) for name in _twice(names))


def _words_again(pieces: Sequence[Piece]) -> Iterator[str]:
    """Yield words that stand twice in a row, and three words that stand there twice."""
    words = [
        word
        for piece in pieces
        for word in (piece.words if piece.role is Role.WORD else (NO_WORD,))
    ]
    pairs = [pair for pair in pairwise(words) if NO_WORD not in pair]
    if len({*pairs}) == len(pairs) and not any(word == after for word, after in pairs):
        return
    for size in (1, 2):
        rows = [words[start : start + size] for start in range(len(words) - size + 1)]
        yield from (
            " ".join(row)
            for row, after in zip(rows, rows[size:], strict=False)
            if row == after and NO_WORD not in row
        )
    rows_of_three = zip(words, words[1:], words[2:], strict=False)
    yield from (" ".join(row) for row in _twice(rows_of_three) if NO_WORD not in row)


def _goes_on(pieces: list[Piece], index: int) -> bool:
    """Return whether a name goes on with other words of it: Kevin [(K.)] De Bruyne."""
    before = index - 1
    while before > 0 and pieces[before].role is Role.MARK and pieces[before].text not in BETWEEN:
        before -= 1
    is_same = before >= 0 and pieces[before].names == pieces[index].names
    return is_same and set(pieces[before].words).isdisjoint(pieces[index].words)


def _twice(things: Iterable[_Told]) -> Iterator[_Told]:
    return (thing for thing, count in Counter(things).items() if count > 1)
