"""The rules of the fact guard: each has a code, a sentence for editors, and a finder."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from functions.enrich_batch.enricher import Style
from functions.enrich_batch.guard.claims import CLAIMS, type_code
from functions.enrich_batch.guard.lexicon import REFUSED, RELATIONS
from functions.enrich_batch.guard.numbers import Numbers
from functions.enrich_batch.guard.reading import Reading
from functions.enrich_batch.guard.relations import (
    clauses_of_opponents,
    repetitions,
    sides_as_places,
    wrong_leaders,
    wrong_roles,
    wrong_sides,
)


@dataclass(slots=True)
class Part:
    """A title or a summary under examination."""

    text: str
    reading: Reading
    numbers: Numbers
    longest: int  # characters
    style: Style
    title: "Part | None" = None  # of a summary, but of one with a description


# Claims that tell when or whose, and not what.
_CIRCUMSTANCES = frozenset(
    {"home", "away", "first_half", "second_half", "extra_time", "added_time", "early", "late"}
)
TELLING = frozenset(CLAIMS) - _CIRCUMSTANCES

ENDS = ".。 "
GOALS = frozenset({"goal", "own goal", "penalty goal"})
_NO_CLAIMS = frozenset((*REFUSED, *RELATIONS))

Find = Callable[[Part], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: `find` yields what of a text breaks it."""

    code: str
    sentence: str
    find: Find


def _empty(part: Part) -> Iterator[str]:
    is_said = any(character.isalnum() for character in part.text)
    if not is_said and not part.reading.names:
        yield part.text


def _long(part: Part) -> Iterator[str]:
    if len(part.text) > part.longest:
        yield f"{len(part.text)} characters, {part.longest} are allowed"


def _surface(code: str, part: Part) -> Iterable[str]:
    found_all = part.reading.surface.found
    return [text for found, text in found_all if found == code] if found_all else ()


def _word(code: str, part: Part) -> Iterable[str]:
    if code not in part.reading.codes:
        return ()
    return [piece.text for piece in part.reading.pieces if code in piece.codes]


def _number(code: str, part: Part) -> Iterable[str]:
    wrong = part.numbers.wrong
    return [text for found, text in wrong if found == code] if wrong else ()


def _unknown_name(part: Part) -> Iterable[str]:
    return [text for text in part.reading.unknown if not text[0].islower()]


def _unknown_word(part: Part) -> Iterable[str]:
    return [text for text in part.reading.unknown if text[0].islower()]


def _unproven(part: Part) -> Iterator[str]:
    """Yield words of claims none of which is proven."""
    proven = part.reading.grounds.proven
    for piece in part.reading.pieces:
        if piece.codes and piece.codes.isdisjoint(proven) and piece.codes - _NO_CLAIMS:
            yield piece.text
    for code, text in part.reading.gap_claims:
        if code not in proven:
            yield text


def _side(part: Part) -> Iterator[str]:
    yield from wrong_sides(part.reading, part.numbers)
    yield from clauses_of_opponents(part.reading)


def _role(part: Part) -> Iterator[str]:
    yield from wrong_roles(part.reading)
    yield from wrong_leaders(part.reading)


def _place(part: Part) -> Iterator[str]:
    yield from _word("place", part)
    yield from sides_as_places(part.reading)


def _kind(part: Part) -> Iterator[str]:
    """Yield the type of an own goal or of a kick where the text does not say so."""
    needed = {"own goal": "own_goal", "shootout goal": "shootout", "shootout miss": "shootout"}
    type_ = part.reading.grounds.type
    if type_ in needed and part.text and needed[type_] not in part.reading.codes:
        yield type_


def _pointless(part: Part) -> Iterator[str]:
    """Yield a text in which nothing happens, and a summary that is as bare a score as its title."""
    if not part.text or _is_told(part.reading):
        return
    grounds = part.reading.grounds
    has_score = part.numbers.scores or part.numbers.goals
    is_known = grounds.scorer_role or grounds.facts.player
    if not has_score or (is_known and part.title and not _is_more_than_score(part, part.title)):
        yield part.text


def _is_told(reading: Reading) -> bool:
    codes = reading.codes.union(code for code, _ in reading.gap_claims)
    return (
        not TELLING.isdisjoint(codes)
        or any(code.startswith(type_code("")) for code in codes)
        or any("type" in reading.pieces[index].names for index in reading.names)
    )


def _is_more_than_score(*parts: Part) -> bool:
    """Return whether one of them tells what happened, or by whom."""
    return any(
        _is_told(part.reading)
        or any("player" in part.reading.pieces[index].names for index in part.reading.names)
        for part in parts
    )


def _repeated(part: Part) -> Iterator[str]:
    yield from repetitions(part.reading, part.numbers)
    title, grounds = part.title, part.reading.grounds
    if title and part.style == "neutral" and _is_same(part.text, title.text):
        facts = grounds.facts
        has_more = facts.player and facts.score and facts.minute is not None
        if has_more and grounds.type in GOALS:  # of other events a template tells no more
            yield part.text


def _is_same(summary: str, title: str) -> bool:
    """Return whether two texts differ in no more than the full stop and the case."""
    if abs(len(summary) - len(title)) > 1:
        return False
    return summary.rstrip(ENDS).casefold() == title.rstrip(ENDS).casefold()


RULES = (
    Rule("empty", "A title or a summary says something.", _empty),
    Rule(
        "length",
        "A title has at most 120 characters and a summary 400, names not counted; "
        "in the style `short` each has at most 65 in all.",
        _long,
    ),
    Rule(
        "control",
        "No control or direction characters, but balanced isolates around names and scores.",
        partial(_surface, "control"),
    ),
    Rule(
        "placeholder",
        "No placeholders: `[[TEAM]]`, `{player}`, `None`, `undefined`, `null`.",
        partial(_surface, "placeholder"),
    ),
    Rule("address", "No web or mail addresses.", partial(_surface, "address")),
    Rule("handle", "No hashtags and no handles.", partial(_surface, "handle")),
    Rule("markup", "No HTML, Markdown or other code.", partial(_surface, "markup")),
    Rule("quotation", "No quotation marks: nobody is quoted.", partial(_surface, "quotation")),
    Rule("emoji", "No emoji, pictures or arrows.", partial(_surface, "emoji")),
    Rule("symbol", "No other symbols, such as % or €.", partial(_surface, "symbol")),
    Rule("date", "No days, months or times of day.", partial(_word, "date")),
    Rule("place", "No stadiums, cities or other places, and no side as one.", _place),
    Rule("age", "No ages.", partial(_word, "age")),
    Rule("superlative", "No superlatives and no records.", partial(_word, "superlative")),
    Rule(
        "name",
        "Each name is a name of the facts, or a part of one; "
        "case and missing diacritics do not matter, likeness does not help.",
        _unknown_name,
    ),
    Rule("word", "Each other word is of the language's closed vocabulary.", _unknown_word),
    Rule(
        "score",
        "A score is that after the event, or that of the shoot-out; "
        "the away side's number is first only where the sides are named in that order.",
        partial(_number, "score"),
    ),
    Rule(
        "minute",
        "A minute is that of the event, with its added time if it has one.",
        partial(_number, "minute"),
    ),
    Rule(
        "number",
        "Any other number counts the goals of the side that is named beside it.",
        partial(_number, "number"),
    ),
    Rule("claim", "A word of a claim stands only where the facts prove it.", _unproven),
    Rule(
        "side",
        "The event is of its own side: the other is named only as the opponent or in a score.",
        _side,
    ),
    Rule(
        "role",
        "Who assisted is named only as that, and nobody else is; a side leads, no player does.",
        _role,
    ),
    Rule("kind", "An own goal and a kick of a shoot-out are called so.", _kind),
    Rule(
        "pointless",
        "A title or a summary tells what happened, or the score; when and whose is too little. "
        "One of them is more than a score, if the player or the side is known.",
        _pointless,
    ),
    Rule(
        "repeated",
        "A title or a summary tells the score once and the minute once, "
        "and no sentence has a name twice, but in a score, or words that it had before; "
        "in the style `neutral` the summary is not the title.",
        _repeated,
    ),
)
