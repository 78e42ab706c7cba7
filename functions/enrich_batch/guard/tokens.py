"""Tokens of a text: words, runs of a script without spaces, numbers, marks."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache, lru_cache
from unicodedata import category

from functions.enrich_batch.guard.folding import fold, without_marks

DENSE = "\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
FIRST_STAND_IN = 0xE000  # private use: a character stands in for a name that has odd symbols


class Kind(Enum):
    """The kind of a token."""

    WORD = auto()
    DENSE = auto()  # Han and kana, which have no spaces between words
    NUMBER = auto()  # digits of any script
    STAND_IN = auto()
    MARK = auto()  # one character of any other kind


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is written, and in the forms that are compared."""

    kind: Kind
    raw: str
    folded: str  # NFKC, without case
    plain: str  # and without diacritics
    spaced: bool  # whether white space is before it
    capital: bool  # whether it is written as a name is; a script without case has no capitals


@cache
def _pattern() -> re.Pattern[str]:
    marks = "".join(chr(code) for code in range(0x300, 0x3100) if category(chr(code))[0] == "M")
    letter = rf"[^\W\d_{DENSE}]"
    last = chr(FIRST_STAND_IN + 15)
    return re.compile(
        rf"(\s*)(?:({letter}(?:{letter}|[{marks}\u200c\u200d])*)|([{DENSE}]+)|(\d+)"
        rf"|([{chr(FIRST_STAND_IN)}-{last}])|(\S))"
    )


_KINDS = (Kind.WORD, Kind.DENSE, Kind.NUMBER, Kind.STAND_IN, Kind.MARK)


@lru_cache(maxsize=8192)  # the same words come again and again
def _token(*groups: str) -> Token:
    """Return the token of the white space before it and of its raw text, by its kind."""
    kind, raw = next(each for each in zip(_KINDS, groups[1:], strict=True) if each[1])
    folded = fold(raw)
    return Token(kind, raw, folded, without_marks(folded), bool(groups[0]), not raw[0].islower())


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text in NFKC."""
    return [_token(*groups) for groups in _pattern().findall(text)]
