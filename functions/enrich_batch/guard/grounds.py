"""The names, numbers and claims that the facts of a highlight give."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from unicodedata import normalize

from functions.enrich_batch.guard.claims import event_type, proven_claims
from functions.enrich_batch.guard.tokens import FIRST_STAND_IN, Kind, Token, tokenize
from functions.shared.contract.highlight import Facts
from functions.shared.contract.team_names import Side

TYPES = frozenset({"goal", "own goal", "penalty goal", "shootout goal", "shootout miss"})
# Between the words of a name these may stand or not: Al-Dawsari, Al Dawsari.
LINKS = frozenset("-'’.·・‐\u2011")
_USUAL = re.compile(r"[\w\s.'’\-·・‐]*")


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the facts; `roles` are home, away, team, player, assist, type."""

    role: str
    tokens: tuple[Token, ...]  # its words and numbers


@dataclass(frozen=True, slots=True)
class Mention:
    """A name of the facts, or a part of one, in a text."""

    end: int  # the index of the token after it
    roles: frozenset[str]
    tokens: int
    is_complete: bool


@dataclass(slots=True)
class Grounds:
    """All that a text may say of these facts."""

    facts: Facts
    type: str
    side: Side | None
    proven: frozenset[str]
    names: dict[str, list[tuple[Name, int]]] = field(default_factory=dict)  # by each word
    has_dense_name: bool = False  # or a part of one, in Han or kana
    stand_ins: dict[str, tuple[str, str]] = field(default_factory=dict)  # role, name; by character

    @property
    def scorer_role(self) -> str | None:
        """The role of the name of the side that the event is of."""
        if self.side:
            return self.side
        return "team" if self.facts.team else None

    def mention(self, tokens: Sequence[Token], start: int) -> Mention | None:
        """Return the longest name, or part of one, that begins at a token."""
        first = tokens[start]
        if first.kind is Kind.STAND_IN:
            return Mention(start + 1, frozenset({self.stand_ins[first.raw][0]}), 1, True)
        if first.plain not in self.names:
            return None
        best: tuple[int, bool] = (0, False)
        end, roles = start, frozenset[str]()
        for name, index in self.names[first.plain]:
            stop, count = _match(tokens, start, name.tokens, index)
            found = (count, count == len(name.tokens))
            if found > best:
                best, end, roles = found, stop, frozenset({name.role})
            elif found == best and count:
                roles |= {name.role}
        return Mention(end, roles, *best) if roles else None


def _match(
    tokens: Sequence[Token], start: int, name: Sequence[Token], index: int
) -> tuple[int, int]:
    """Return the end and the number of tokens that are the name's from `index` on."""
    end, count, has_word, position = start, 0, False, start
    while index + count < len(name) and position < len(tokens):
        token = tokens[position]
        if count and token.kind is Kind.MARK and token.raw in LINKS:
            position += 1
            continue
        if not _same(token, name[index + count]):
            break
        has_word |= token.kind is not Kind.NUMBER
        position += 1
        count += 1
        end = position
    # A number is a name only as a part of one, or where the name is no more than it.
    return (end, count) if has_word or count == len(name) else (start, 0)


def _same(token: Token, of_name: Token) -> bool:
    """Return whether a word is a name's, with the same diacritics or without any."""
    if token.plain != of_name.plain:
        return False
    return token.folded in (of_name.folded, token.plain) or of_name.folded == of_name.plain


@lru_cache(maxsize=64)  # a text is checked again after each try
def grounds_of(facts: Facts) -> Grounds:
    """Return what these facts give."""
    type_, side = event_type(facts), facts.side
    grounds = Grounds(facts, type_, side, proven_claims(facts))
    given = {
        "home": facts.home_team,
        "away": facts.away_team,
        "team": None if side else facts.team,
        "player": facts.player,
        "assist": facts.assist,
        "type": None if type_ in TYPES else type_,
    }
    for role, given_text in given.items():
        if not given_text:
            continue
        text = normalize("NFKC", given_text)
        if not _USUAL.fullmatch(text):
            character = chr(FIRST_STAND_IN + len(grounds.stand_ins))
            grounds.stand_ins[character] = (role, text)
        tokens = tuple(
            token for token in tokenize(text) if token.kind in (Kind.WORD, Kind.DENSE, Kind.NUMBER)
        )
        for name in (Name(role, tokens), *_parts_of_dense(role, tokens)):
            for index, token in enumerate(name.tokens):
                grounds.has_dense_name |= token.kind is Kind.DENSE
                grounds.names.setdefault(token.plain, []).append((name, index))
    return grounds


def _parts_of_dense(role: str, tokens: Sequence[Token]) -> Iterator[Name]:
    """Yield the beginnings and ends of a name in Han, which has no space: 三笘 of 三笘薫."""
    if len(tokens) == 1 and tokens[0].kind is Kind.DENSE:
        word = tokens[0].raw
        for length in range(2, len(word)):
            for part in (word[:length], word[-length:]):
                yield Name(role, tuple(tokenize(part)))
