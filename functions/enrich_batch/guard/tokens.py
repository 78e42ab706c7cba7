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


@dataclass(frozen=True, slots=True, eq=False)  # equal tokens are one, for the sake of speed
class Token:
    """A token as it is written, and in the forms that are compared."""

    kind: Kind
    raw: str
    folded: str  # NFKC, without case
    plain: str  # and without diacritics
    spaced: bool  # whether white space is before it
    capital: bool  # whether it is written as a name is; a script without case has no capitals


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the pattern of a token with the white space before it, and that of its kinds."""
    marks = "".join(chr(code) for code in range(0x300, 0x3100) if category(chr(code))[0] == "M")
    letter = rf"[^\W\d_{DENSE}]"
    last = chr(FIRST_STAND_IN + 15)
    kinds = (
        rf"{letter}(?:{letter}|[{marks}\u200c\u200d])*", rf"[{DENSE}]+", r"\d+",
        rf"[{chr(FIRST_STAND_IN)}-{last}]", r"\S",
    )  # fmt: skip
    any_kind, each_kind = "|".join(kinds), "|".join(f"({kind})" for kind in kinds)
    return re.compile(rf"\s*(?:{any_kind})"), re.compile(rf"(\s*)(?:{each_kind})")


_DENSE = re.compile(f"[{DENSE}]")
_KINDS = (Kind.WORD, Kind.DENSE, Kind.NUMBER, Kind.STAND_IN, Kind.MARK)


@lru_cache(maxsize=8192)  # the same words come again and again
def _token(found: str) -> Token:
    """Return the token that is found, with the white space before it."""
    match = _patterns()[1].fullmatch(found)
    index = match.lastindex if match and match.lastindex else len(_KINDS) + 1
    raw = found.lstrip()
    folded = fold(raw)
    spaced = len(raw) < len(found)
    return Token(
        _KINDS[index - 2], raw, folded, without_marks(folded), spaced, not raw[0].islower()
    )


def has_dense(text: str) -> bool:
    """Return whether a text has a run without spaces between its words."""
    return not text.isascii() and _DENSE.search(text) is not None


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text in NFKC."""
    return [_token(found) for found in _patterns()[0].findall(text)]
