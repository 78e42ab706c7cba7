"""Pieces of a text: names of the facts, words of the language, numbers and marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from functions.enrich_batch.guard.number_words import number_of
from functions.enrich_batch.guard.tokens import Kind, Token

NO_ROLES: frozenset[str] = frozenset()
SIDES = frozenset({"home", "away"})


class Role(Enum):
    """What a piece of a text is."""

    NAME = auto()
    NUMBER = auto()
    WORD = auto()
    MARK = auto()
    UNKNOWN = auto()


@dataclass(slots=True)
class Piece:
    """A piece of a text."""

    role: Role
    text: str
    words: tuple[str, ...] = ()  # in plain form
    names: frozenset[str] = NO_ROLES  # the roles of a name
    codes: frozenset[str] = NO_ROLES  # of claims, relations and refused words
    side: str = ""  # home or away, if it names just that side
    value: int = -1  # of a number
    is_ordinal: bool = False
    is_article: bool = False  # a number that is also a word of the language, as "un"
    spaced: bool = False
    capital: bool = False


@lru_cache(maxsize=512)
def mark_of(raw: str, spaced: bool) -> Piece:
    """Return the piece of a mark, which may be after a space."""
    return Piece(Role.MARK, raw, spaced=spaced)


@lru_cache(maxsize=8192)
def word_of(token: Token, codes: frozenset[str]) -> Piece:
    """Return the piece of a word that is a term alone, and begins no other."""
    return Piece(
        Role.WORD, token.raw, (token.plain,), codes=codes,
        spaced=token.spaced, capital=token.capital,
    )  # fmt: skip


def number_piece(token: Token) -> Piece:
    """Return the piece of a number in digits."""
    return Piece(
        Role.NUMBER, token.raw, (token.plain,), value=number_of(token),
        spaced=token.spaced, capital=token.capital,
    )  # fmt: skip


def piece_of(
    role: Role, tokens: Sequence[Token], start: int, end: int, *,
    names: frozenset[str] = NO_ROLES, codes: frozenset[str] = NO_ROLES,
) -> Piece:  # fmt: skip
    """Return the piece of the tokens from `start` until `end`."""
    first = tokens[start]
    words: tuple[str, ...]
    if end == start + 1:
        text, words = first.raw, (first.plain,)
    else:
        part = tokens[start:end]
        text = " ".join([token.raw for token in part])
        words = tuple([token.plain for token in part if token.kind is not Kind.MARK])
    side = _side_of(names) if names else ""
    return Piece(role, text, words, names, codes, side, spaced=first.spaced, capital=first.capital)


@lru_cache(maxsize=64)
def _side_of(roles: frozenset[str]) -> str:
    """Return home or away if just one of them is a role of a name, or ""."""
    sides = roles & SIDES
    return next(iter(sides)) if len(sides) == 1 else ""
