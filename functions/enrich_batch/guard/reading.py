"""A text read as names of the facts, words of the language, numbers and marks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import groupby
from operator import attrgetter
from unicodedata import normalize

from functions.enrich_batch.guard.grounds import LINKS as LINKS_OF_NAMES
from functions.enrich_batch.guard.grounds import Grounds, Mention
from functions.enrich_batch.guard.lexicon import Lexicon, Term
from functions.enrich_batch.guard.number_words import number_at, numeral
from functions.enrich_batch.guard.pieces import (
    NO_ROLES,
    Piece,
    Role,
    mark_of,
    number_piece,
    piece_of,
    word_of,
)
from functions.enrich_batch.guard.segmentation import divide
from functions.enrich_batch.guard.surface import Surface
from functions.enrich_batch.guard.tokens import Kind, Token, has_dense, tokenize

SENTENCE_ENDS = frozenset(".!?。؟")
MOST_DIVIDED, LONGEST_DIVIDED = 2048, 40  # runs of a language that are remembered; characters
GAP = 6  # words within a claim
ABBREVIATIONS = frozenset({"v", "vs"})  # a full stop after one ends no sentence
LINKS = frozenset("-'’\u2011‐")


class Reading:
    """A title or a summary, read against the facts."""

    def __init__(self, surface: Surface, grounds: Grounds, lexicon: Lexicon) -> None:
        self.surface = surface
        self.grounds = grounds
        self.lexicon = lexicon
        self.pieces: list[Piece] = []  # of the text, without what the surface has found
        tokens = tokenize(surface.rest)
        if lexicon.clitics or has_dense(surface.rest):
            tokens = list(self._divided(tokens))
        start, end = 0, len(tokens)
        while start < end:
            start = self._read(tokens, start)
        pieces = self.pieces
        roles = [piece.role for piece in pieces]
        self.names = [i for i, role in enumerate(roles) if role is Role.NAME]
        self.numbers = [i for i, role in enumerate(roles) if role is Role.NUMBER]
        self.unknown = (  # those in a row as one
            [
                " ".join([piece.text for piece in row])
                for role, row in groupby(pieces, key=attrgetter("role"))
                if role is Role.UNKNOWN
            ]
            if Role.UNKNOWN in roles
            else []
        )
        self.codes = NO_ROLES.union(*[piece.codes for piece in pieces if piece.codes])
        # The first index and the last + 1 of each sentence.
        is_one = SENTENCE_ENDS.isdisjoint([piece.text for piece in pieces])
        self.sentences = [(0, len(pieces))] if is_one else list(self._sentences())
        has_no_gap = lexicon.gaps.keys().isdisjoint([token.plain for token in tokens])
        self.gap_claims = [] if has_no_gap else list(self._claims_with_gap())

    def _claims_with_gap(self) -> Iterator[tuple[str, str]]:
        """Yield codes and texts of claims with other words inside: gives Argentina the lead."""
        gaps = self.lexicon.gaps
        for first, last in self.sentences:
            words = [word for piece in self.pieces[first:last] for word in piece.words]
            for index, word in enumerate(words):
                for before, after, code in gaps.get(word, ()):
                    start = index + len(before)
                    near = words[start : start + GAP + len(after)]
                    if (
                        after[0] in near
                        and tuple(words[index:start]) == before
                        and any(True for _ in _positions(near, after))
                    ):
                        yield code, " ".join((*before, "…", *after))

    def _sentences(self) -> Iterator[tuple[int, int]]:
        start = 0
        for index, piece in enumerate(self.pieces):
            if (
                piece.role is Role.MARK
                and piece.text in SENTENCE_ENDS
                and (
                    piece.text != "."
                    or not self._is_number(index - 1)
                    or self._is_capital(index + 1)
                )
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

    def _divided(self, tokens: Iterable[Token]) -> Iterator[Token]:
        """Yield the tokens; runs without spaces are divided, and clitics taken off."""
        names = self.grounds.names
        for token in tokens:
            if token.kind is Kind.DENSE and token.plain not in names:
                yield from self._divided_run(token)
            elif self.lexicon.clitics and token.kind is Kind.WORD:
                stem = self.lexicon.without_clitics(token.plain, names)
                yield token if stem == token.plain else _stemmed(token, stem)
            else:
                yield token

    def _divided_run(self, token: Token) -> Sequence[Token]:
        if self.grounds.has_dense_name or len(token.raw) > LONGEST_DIVIDED:
            return [*divide(token, self._is_known_run, self._longest)]
        divided, key = self.lexicon.divided, (token.raw, token.spaced)
        if key not in divided:
            if len(divided) >= MOST_DIVIDED:
                divided.clear()
            divided[key] = [*divide(token, self._is_known_run, self._longest)]
        return divided[key]

    def _is_known_run(self, word: str) -> bool:
        return word in self.grounds.names or self.lexicon.knows(word) or numeral(word) is not None

    @cached_property
    def _longest(self) -> int:
        return max(self.lexicon.longest, *map(len, self.grounds.names), 1)

    def _read(self, tokens: Sequence[Token], start: int) -> int:
        """Append the piece that begins at a token, and return the index of the token after it."""
        token, pieces = tokens[start], self.pieces
        if token.kind is Kind.MARK:
            if token.raw == "." and pieces and pieces[-1].text in ABBREVIATIONS:
                return start + 1
            pieces.append(mark_of(token.raw, token.spaced))
            return start + 1
        plain, lexicon = token.plain, self.lexicon
        if plain not in self.grounds.names:
            if plain in lexicon.simple and lexicon.spells(token):
                pieces.append(word_of(token, lexicon.simple[plain]))
                return start + 1
            if token.kind is Kind.NUMBER:
                pieces.append(number_piece(token))
                return start + 1
        elif plain not in lexicon.terms and (end := self._plain_name(tokens, start)):
            return end
        mention = self.grounds.mention(tokens, start)
        term, term_end = self._term(tokens, start)
        if mention and self._is_name(mention, tokens, start, term, term_end):
            pieces.append(piece_of(Role.NAME, tokens, start, mention.end, names=mention.roles))
            return mention.end
        codes = term.codes if term else NO_ROLES
        value, number_end, is_ordinal = number_at(tokens, start, self.lexicon)
        if value >= 0 and (term is None or number_end >= term_end):
            piece = piece_of(Role.NUMBER, tokens, start, number_end, codes=codes)
            piece.value, piece.is_ordinal, piece.is_article = value, is_ordinal, term is not None
            pieces.append(piece)
            return number_end
        if term:
            is_alone = term_end == start + 1
            pieces.append(
                word_of(token, codes)
                if is_alone
                else piece_of(Role.WORD, tokens, start, term_end, codes=codes)
            )
            return term_end
        after_number = pieces and pieces[-1].role is Role.NUMBER and not token.spaced
        is_suffix = after_number and token.plain in self.lexicon.suffixes
        if is_suffix:
            pieces[-1].is_ordinal = True
        is_known = is_suffix or token.plain in self.lexicon.number_words
        role = Role.WORD if is_known else Role.UNKNOWN
        pieces.append(piece_of(role, tokens, start, start + 1))
        return start + 1

    def _plain_name(self, tokens: Sequence[Token], start: int) -> int:
        """Append a name that is written as the facts have it; return the index after it, or 0.

        Only if no word of it can be anything else, for the sake of speed.
        """
        entries = self.grounds.names[tokens[start].plain]
        if len(entries) > 1 or tokens[start].kind is not Kind.WORD:
            return 0
        name, index = entries[0]
        if name.role == "type" or name.tokens[index].raw != tokens[start].raw:
            return 0
        end, last = start + 1, min(len(tokens), start + len(name.tokens) - index)
        while end < last and tokens[end].raw == name.tokens[index + end - start].raw:
            end += 1
        if end < last and tokens[end].kind is Kind.MARK and tokens[end].raw in LINKS_OF_NAMES:
            return 0
        if end < last and tokens[end].plain == name.tokens[index + end - start].plain:
            return 0
        self.pieces.append(piece_of(Role.NAME, tokens, start, end, names=frozenset((name.role,))))
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
        terms = self.lexicon.terms.get(tokens[start].plain)
        if not terms or not self.lexicon.spells(tokens[start]):
            return None, start
        second = start + 1
        while second < len(tokens) and tokens[second].raw in LINKS:
            second += 1
        following = tokens[second].plain if second < len(tokens) else ""
        for term in terms:
            position, count = start + 1, 1
            if len(term.words) > 1 and term.words[1] != following:
                continue
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


@lru_cache(maxsize=8192)
def _stemmed(token: Token, stem: str) -> Token:
    return replace(token, plain=stem, folded=stem)


def _positions(words: Sequence[str], part: tuple[str, ...]) -> Iterator[int]:
    """Yield the indexes at which these words stand in a row."""
    size = len(part)
    return (i for i in range(len(words) - size + 1) if tuple(words[i : i + size]) == part)


def read(text: str, grounds: Grounds, lexicon: Lexicon) -> Reading:
    """Return the reading of a text."""
    surface = Surface(normalize("NFKC", text), text, grounds, lexicon)
    return Reading(surface, grounds, lexicon)
