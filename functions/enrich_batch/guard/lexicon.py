"""The closed vocabulary of a language."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from functions.enrich_batch.guard.claims import CLAIMS, type_code
from functions.enrich_batch.guard.folding import fold, without_marks
from functions.enrich_batch.guard.tokens import Kind, Token, tokenize

WORDS = Path(__file__).parent / "words"
PHRASES = Path(__file__).parents[1] / "template/languages"
# Words that are refused with a code of their own, which tells more than that they are unknown.
REFUSED = ("date", "place", "age", "superlative")
RELATIONS = ("against", "versus", "who", "only_side", "within")
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
OWN_TABLES = ("event_types", "vocabulary", "claims", "refused", "relations", "numbers")

Words = tuple[str, ...]
Gap = tuple[Words, Words, str]  # words before and after others, the code of the claim


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase, in plain form, and its codes; none for one that claims nothing."""

    words: Words
    codes: frozenset[str] = frozenset()


@dataclass(slots=True)
class Lexicon:
    """The words and phrases that a text of a language may use."""

    terms: dict[str, list[Term]] = field(default_factory=dict)  # by first word, longest first
    simple: dict[str, frozenset[str]] = field(default_factory=dict)  # codes of words that are
    # no numbers and begin no phrase
    words: set[str] = field(default_factory=set)  # all words of all terms
    spellings: set[str] = field(default_factory=set)  # those with diacritics, of all words
    longest: int = 1  # characters of the longest word
    numbers: dict[str, int] = field(default_factory=dict)
    ordinals: dict[str, int] = field(default_factory=dict)
    number_words: frozenset[str] = frozenset()  # separators, "all" and what is beside a minute
    joiners: frozenset[str] = frozenset()  # between tens and units
    separators: frozenset[str] = frozenset()  # between the numbers of a score
    each: frozenset[str] = frozenset()  # after the number of a drawn score
    suffixes: frozenset[str] = frozenset()  # of an ordinal in digits
    minute_after: frozenset[str] = frozenset()  # after the number of a minute
    minute_before: frozenset[str] = frozenset()
    totals: frozenset[str] = frozenset()  # before all goals of a side: makes it two for Chile
    possessives: frozenset[str] = frozenset()  # "su": what follows is counted of the player
    gaps: dict[str, list[Gap]] = field(default_factory=dict)  # "gives … the lead", by first word
    clitics: tuple[str, ...] = ()  # longest first
    divided: dict[tuple[str, bool], list[Token]] = field(default_factory=dict)  # runs, if spaced

    def add(self, words: Words, codes: Iterable[str]) -> None:
        """Add a phrase with its codes, if it is not there."""
        if self.clitics:
            words = tuple(map(_without_article, words))
        terms = self.terms.setdefault(words[0], []) if words else []
        known = next((term for term in terms if term.words == words), None)
        if known:
            terms.remove(known)
        terms.append(Term(words, frozenset(codes) | (known.codes if known else frozenset())))
        self.words.update(words)

    def spells(self, token: Token) -> bool:
        """Return whether a word has its diacritics, or none: "hätte" is not "hatte"."""
        return token.folded == token.plain or token.folded in self.spellings

    def knows(self, word: str) -> bool:
        """Return whether a word has a use in this language."""
        return word in self.words or word in self.numbers or word in self.ordinals

    def without_clitics(self, word: str, names: Iterable[str]) -> str:
        """Return a word without the particles written with it, if what remains is known."""
        if word in names or self.knows(word):
            return word
        if self.knows(bare := _without_article(word)):
            return bare
        for clitic in self.clitics:
            if word.startswith(clitic):
                rest = word[len(clitic) :]
                # ل before the article ال is written لل
                for stem in (f"ال{rest}", rest) if clitic.endswith("لل") else (rest,):
                    if len(stem) > 1 and stem in names:
                        return stem
                    if len(stem) > 1 and self.knows(bare := _without_article(stem)):
                        return bare
        return word


def _without_article(word: str) -> str:
    """Return an Arabic word without its article."""
    return word[2:] if word.startswith("ال") and len(word) > 4 else word


@cache
def lexicon_of(language: str) -> Lexicon:
    """Return the vocabulary of a language, by its BCP 47 tag.

    Raises:
        LookupError: there is none for this language.
    """
    known = {path.stem.lower(): path for path in sorted(WORDS.glob("*.toml"))}
    tag = language.lower()
    path = known.get(tag) or next(
        (known[name] for name in known if name.split("-")[0] == tag.split("-")[0]), None
    )
    if path is None:
        raise LookupError(f"the fact guard has no words of the language {language}")
    phrases = PHRASES / path.name
    tables = [tomllib.loads(path.read_text(encoding="utf-8"))]
    if phrases.exists():
        tables.append(tomllib.loads(phrases.read_text(encoding="utf-8")))
    return build_lexicon(tables)


def build_lexicon(tables: Iterable[Mapping[str, Any]]) -> Lexicon:
    """Return the vocabulary that the tables of TOML files make.

    Raises:
        ValueError: a code is not one of the guard.
    """
    lexicon = Lexicon()
    codes: dict[Words, set[str]] = {}
    tables = list(tables)
    for table in tables:
        for word in _strings(table.get("vocabulary", {})):
            codes.update(((part,), set()) for part in words_of(word) if (part,) not in codes)
        for name, allowed in (("claims", CLAIMS), ("refused", REFUSED), ("relations", RELATIONS)):
            for code, phrases in table.get(name, {}).items():
                if code not in allowed:
                    raise ValueError(f"unknown code in [{name}]: {code}")
                for phrase in phrases:
                    first, gap, second = phrase.partition("…")
                    if gap:
                        gap_words = words_of(first), words_of(second), code
                        lexicon.gaps.setdefault(gap_words[0][0], []).append(gap_words)
                    else:
                        codes.setdefault(words_of(phrase), set()).add(code)
        _inherit_claims(codes, table.get("relations", {}))
        for type_, phrase in table.get("event_types", {}).items():
            code = type_code(type_.replace("_", " "))
            codes.setdefault(words_of(phrase), set()).add(code)
        if event := table.get("formats", {}).get("event"):
            codes.setdefault(words_of(event), set()).add("event")
        _add_numbers(lexicon, table.get("numbers", {}))
    for words, found in codes.items():
        lexicon.add(words, found)
    for table in tables:
        for word in list(_words_of_phrases(table, lexicon.words)):
            if word not in lexicon.numbers:  # "pulls one back" makes "one" no article
                lexicon.add((lexicon.without_clitics(word, ()),), ())
    for terms in lexicon.terms.values():
        terms.sort(key=lambda term: -len(term.words))
    lexicon.simple = {
        word: terms[0].codes
        for word, terms in lexicon.terms.items()
        if len(terms[0].words) == 1 and word not in lexicon.numbers and word not in lexicon.ordinals
    }
    lexicon.number_words = (
        lexicon.separators | lexicon.each | lexicon.minute_after | lexicon.minute_before
    )
    lexicon.spellings = {
        token.folded for table in tables for text in _strings(table) for token in tokenize(text)
    }
    lexicon.longest = max(map(len, (*lexicon.words, *lexicon.numbers, *lexicon.ordinals)))
    return lexicon


def _inherit_claims(codes: dict[Words, set[str]], relations: Mapping[str, Sequence[str]]) -> None:
    """Give a relation the claims of its first words: "level with" claims what "level" does."""
    for phrase in (phrase for phrases in relations.values() for phrase in phrases):
        words = words_of(phrase)
        for end in range(len(words) - 1, 0, -1):
            if claims := codes.get(words[:end]):
                codes[words] |= claims.difference(RELATIONS)
                break


def _words_of_phrases(table: Mapping[str, Any], known: Iterable[str]) -> Iterator[str]:
    """Yield the words of the phrases of the template; of runs without spaces, what is not known."""
    longest_first = sorted(known, key=len, reverse=True)
    for name, phrases in table.items():
        if name in OWN_TABLES or not isinstance(phrases, Mapping):
            continue
        for phrase in _strings(phrases):
            for token in tokenize(PLACEHOLDER.sub(" ", phrase)):
                if token.kind is Kind.WORD:
                    yield token.plain
                elif token.kind is Kind.DENSE:
                    rest = token.plain
                    for word in longest_first:
                        rest = rest.replace(word, " ")
                    yield from rest.split()


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def words_of(phrase: str) -> Words:
    """Return the words of a phrase, in plain form; digits are none."""
    return tuple(token.plain for token in tokenize(phrase) if token.kind in (Kind.WORD, Kind.DENSE))


def _plain(words: Iterable[str]) -> frozenset[str]:
    return frozenset(without_marks(fold(word)) for word in words)


def _add_numbers(lexicon: Lexicon, table: Mapping[str, Any]) -> None:
    for name in (
        "joiners", "separators", "each", "suffixes", "minute_after", "minute_before",
        "possessives", "totals",
    ):  # fmt: skip
        words = _plain(table.get(name, ()))
        setattr(lexicon, name, getattr(lexicon, name) | words)
        lexicon.words.update(words)
    lexicon.clitics = tuple(
        sorted({*lexicon.clitics, *table.get("clitics", ())}, key=len, reverse=True)
    )
    for name, numbers in (("cardinals", lexicon.numbers), ("ordinals", lexicon.ordinals)):
        for value, words in table.get(name, {}).items():
            numbers.update(dict.fromkeys(_plain(words), int(value)))
    if unit_before_tens := table.get("unit_before_tens"):
        _add_compounds(lexicon, unit_before_tens, table.get("ordinal_endings", ()))


def _add_compounds(lexicon: Lexicon, link: str, endings: Iterable[str]) -> None:
    """Add numbers that are one word, as "sechsunddreißig", and their ordinals."""
    units = {word: n for word, n in lexicon.numbers.items() if n < 10}
    tens = {word: n for word, n in lexicon.numbers.items() if 20 <= n < 100 and n % 10 == 0}
    for unit, n in units.items():
        for ten, m in tens.items():
            lexicon.numbers[f"{unit}{link}{ten}"] = m + n
    for word, n in lexicon.numbers.items():
        if n >= 20:
            lexicon.ordinals.update(dict.fromkeys((f"{word}{end}" for end in endings), n))
