"""A text read as names of the facts, words of the language, numbers and marks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from unicodedata import normalize

from functions.enrich_batch.guard.grounds import Grounds, Mention
from functions.enrich_batch.guard.lexicon import Lexicon, Term
from functions.enrich_batch.guard.number_words import number_at, numeral
from functions.enrich_batch.guard.segmentation import divide
from functions.enrich_batch.guard.surface import Surface
from functions.enrich_batch.guard.tokens import Kind, Token, tokenize

NO_ROLES: frozenset[str] = frozenset()
GAP = 6  # words within a claim
LINKS = frozenset("-'’\u2011‐")


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
    value: int = -1  # of a number
    is_ordinal: bool = False
    is_article: bool = False  # a number that is also a word of the language, as "un"
    spaced: bool = False
    capital: bool = False


class Reading:
    """A title or a summary, read against the facts."""

    def __init__(self, surface: Surface, grounds: Grounds, lexicon: Lexicon) -> None:
        self.surface = surface
        self.grounds = grounds
        self.lexicon = lexicon

    @cached_property
    def pieces(self) -> list[Piece]:
        """The pieces of the text, without what the surface has found."""
        tokens = list(self._tokens())
        pieces: list[Piece] = []
        start = 0
        while start < len(tokens):
            start = self._read(tokens, start, pieces)
        return pieces

    @cached_property
    def claims(self) -> frozenset[str]:
        """The codes of all words of the text."""
        return frozenset().union(*(piece.codes for piece in self.pieces))

    def claims_with_gap(self) -> Iterator[tuple[str, str]]:
        """Yield codes and texts of claims with other words inside: gives Argentina the lead."""
        for first, last in self.sentences():
            words = [word for piece in self.pieces[first:last] for word in piece.words]
            for before, after, code in self.lexicon.gaps:
                for index in _positions(words, before):
                    start = index + len(before)
                    near = words[start : start + GAP + len(after)]
                    if any(True for _ in _positions(near, after)):
                        yield code, " ".join((*before, "…", *after))

    def sentences(self) -> Iterator[tuple[int, int]]:
        """Yield the first and the last index + 1 of the pieces of each sentence."""
        start = 0
        for index, piece in enumerate(self.pieces):
            if piece.role is Role.MARK and (
                piece.text in "!?。؟"
                or (piece.text == "." and not self._is_number(index - 1))
                or (piece.text == "." and self._is_capital(index + 1))
            ):
                yield start, index
                start = index + 1
        yield start, len(self.pieces)

    def _is_number(self, index: int) -> bool:
        return index >= 0 and self.pieces[index].role is Role.NUMBER

    def _is_capital(self, index: int) -> bool:
        """Return whether a sentence may begin here: not in "36. Minute"."""
        if index >= len(self.pieces):
            return True
        piece = self.pieces[index]
        return piece.capital and not set(piece.words) & self.lexicon.minute_after

    def _tokens(self) -> Iterator[Token]:
        """Yield the tokens; runs without spaces are divided, and clitics taken off."""
        names = self.grounds.names
        for token in tokenize(self.surface.rest):
            if token.kind is Kind.DENSE and token.plain not in names:
                yield from divide(token, self._is_known_run, self._longest)
            elif self.lexicon.clitics and token.kind is Kind.WORD:
                stem = self.lexicon.without_clitics(token.plain, names)
                if stem != token.plain:
                    token.plain = token.folded = stem
                yield token
            else:
                yield token

    def _is_known_run(self, word: str) -> bool:
        return word in self.grounds.names or self.lexicon.knows(word) or numeral(word) is not None

    @cached_property
    def _longest(self) -> int:
        return max(self.lexicon.longest, *map(len, self.grounds.names), 1)

    def _read(self, tokens: Sequence[Token], start: int, pieces: list[Piece]) -> int:
        """Append the piece that begins at a token, and return the index of the token after it."""
        token = tokens[start]
        mention = self.grounds.mention(tokens, start)
        term, term_end = self._term(tokens, start)
        if mention and self._is_name(mention, tokens, start, term, term_end):
            return self._append(pieces, Role.NAME, tokens, start, mention.end, names=mention.roles)
        value, number_end, is_ordinal = number_at(tokens, start, self.lexicon)
        if value >= 0 and (term is None or number_end >= term_end):
            return self._append(
                pieces, Role.NUMBER, tokens, start, number_end, value=value,
                is_ordinal=is_ordinal, is_article=term is not None,
                codes=term.codes if term else NO_ROLES,
            )  # fmt: skip
        if term:
            return self._append(pieces, Role.WORD, tokens, start, term_end, codes=term.codes)
        if token.kind is Kind.MARK:
            return self._append(pieces, Role.MARK, tokens, start, start + 1)
        after_number = pieces and pieces[-1].role is Role.NUMBER and not token.spaced
        is_suffix = after_number and token.plain in self.lexicon.suffixes
        if is_suffix:
            pieces[-1].is_ordinal = True
        is_known = is_suffix or token.plain in self._words_of_numbers
        role = Role.WORD if is_known else Role.UNKNOWN
        return self._append(pieces, role, tokens, start, start + 1)

    @cached_property
    def _words_of_numbers(self) -> frozenset[str]:
        lexicon = self.lexicon
        return lexicon.separators | lexicon.each | lexicon.minute_after | lexicon.minute_before

    def _append(
        self, pieces: list[Piece], role: Role, tokens: Sequence[Token], start: int, end: int,
        **more: object,
    ) -> int:  # fmt: skip
        part = tokens[start:end]
        text = " ".join(token.raw for token in part)
        words = tuple(token.plain for token in part if token.kind is not Kind.MARK)
        piece = Piece(role, text, words, spaced=part[0].spaced, capital=part[0].capital)
        for name, value in more.items():
            setattr(piece, name, value)
        pieces.append(piece)
        return end

    def _is_name(
        self, mention: Mention, tokens: Sequence[Token], start: int, term: Term | None, end: int
    ) -> bool:
        """Return whether a mention is one, and not words of the language that look like it."""
        if mention.roles == {"type"} and not mention.is_complete:
            return False
        if any(token.kind is Kind.STAND_IN for token in tokens[start : mention.end]):
            return True
        numbers = [token.kind is Kind.NUMBER for token in tokens[start : mention.end]]
        if all(numbers):
            beside = (*tokens[start - 1 : start], *tokens[mention.end : mention.end + 1])
            return not any(token.kind is Kind.MARK and token.raw in "-–—:+'’′." for token in beside)
        if term is None:
            return True
        if mention.end < end:
            return False
        all_known = all(self.lexicon.knows(token.plain) for token in tokens[start : mention.end])
        if not all_known or mention.roles == {"type"}:
            return True
        is_capital = all(
            token.capital
            for token in tokens[start : mention.end]
            if not self.lexicon.knows(token.plain) or token is tokens[start]
        )
        return is_capital and (mention.is_complete or mention.tokens > 1)

    def _term(self, tokens: Sequence[Token], start: int) -> tuple[Term | None, int]:
        """Return the longest phrase of the language that begins at a token, and its end."""
        if not self.lexicon.spells(tokens[start]):
            return None, start
        for term in self.lexicon.terms.get(tokens[start].plain, ()):
            position, count = start + 1, 1
            while count < len(term.words) and position < len(tokens):
                token = tokens[position]
                if token.kind is Kind.MARK and token.raw in LINKS:
                    position += 1
                elif token.plain == term.words[count] and self.lexicon.spells(token):
                    position += 1
                    count += 1
                else:
                    break
            if count == len(term.words):
                return term, position
        return None, start


def _positions(words: Sequence[str], part: tuple[str, ...]) -> Iterator[int]:
    """Yield the indexes at which these words stand in a row."""
    size = len(part)
    return (i for i in range(len(words) - size + 1) if tuple(words[i : i + size]) == part)


def read(text: str, grounds: Grounds, lexicon: Lexicon) -> Reading:
    """Return the reading of a text."""
    surface = Surface(normalize("NFKC", text), text, grounds, lexicon)
    return Reading(surface, grounds, lexicon)
