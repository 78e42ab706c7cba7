"""The closed vocabulary of a language."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from functions.enrich_batch.guard.claims import CLAIMS
from functions.enrich_batch.guard.folding import fold, without_marks
from functions.enrich_batch.guard.tokens import Kind, tokenize

WORDS = Path(__file__).parent / "words"
PHRASES = Path(__file__).parents[1] / "languages"
# Words that are refused with a code of their own, which tells more than that they are unknown.
REFUSED = ("date", "place", "age", "superlative")
RELATIONS = ("against", "versus")
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
OWN_TABLES = ("vocabulary", "claims", "refused", "relations", "numbers")

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase, in plain form, and its codes; none for one that claims nothing."""

    words: Words
    codes: frozenset[str] = frozenset()


@dataclass(slots=True)
class Lexicon:
    """The words and phrases that a text of a language may use."""

    terms: dict[str, list[Term]] = field(default_factory=dict)  # by first word, longest first
    words: set[str] = field(default_factory=set)  # all words of all terms
    longest: int = 1  # characters of the longest word
    numbers: dict[str, int] = field(default_factory=dict)
    ordinals: dict[str, int] = field(default_factory=dict)
    joiners: frozenset[str] = frozenset()  # between tens and units
    separators: frozenset[str] = frozenset()  # between the numbers of a score
    each: frozenset[str] = frozenset()  # after the number of a drawn score
    suffixes: frozenset[str] = frozenset()  # of an ordinal in digits
    minute_after: frozenset[str] = frozenset()  # after the number of a minute
    minute_before: frozenset[str] = frozenset()
    clitics: tuple[str, ...] = ()  # longest first

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
    return _build(tables)


def _build(tables: Iterable[Mapping[str, Any]]) -> Lexicon:
    lexicon = Lexicon()
    codes: dict[Words, set[str]] = {}
    for table in tables:
        for words in _vocabulary(table):
            codes.setdefault(words, set())
        for name, allowed in (("claims", CLAIMS), ("refused", REFUSED), ("relations", RELATIONS)):
            for code, phrases in table.get(name, {}).items():
                if code not in allowed:
                    raise ValueError(f"unknown code in [{name}]: {code}")
                for phrase in phrases:
                    codes.setdefault(words_of(phrase), set()).add(code)
        _add_numbers(lexicon, table.get("numbers", {}))
    if lexicon.clitics:
        bare: dict[Words, set[str]] = {}
        for words, found in codes.items():
            bare.setdefault(tuple(map(_without_article, words)), set()).update(found)
        codes = bare
    for words, found in codes.items():
        if words:
            lexicon.terms.setdefault(words[0], []).append(Term(words, frozenset(found)))
            lexicon.words.update(words)
    for terms in lexicon.terms.values():
        terms.sort(key=lambda term: -len(term.words))
    lexicon.longest = max(map(len, (*lexicon.words, *lexicon.numbers, *lexicon.ordinals)))
    return lexicon


def _vocabulary(table: Mapping[str, Any]) -> Iterator[Words]:
    """Yield the words of the table of words, and each word of each phrase, alone."""
    for word in _strings(table.get("vocabulary", {})):
        yield from ((part,) for part in words_of(word))
    for name, phrases in table.items():
        if name not in OWN_TABLES and isinstance(phrases, Mapping):
            for phrase in _strings(phrases):
                yield from ((part,) for part in words_of(PLACEHOLDER.sub(" ", phrase)))


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
    for name in ("joiners", "separators", "each", "suffixes", "minute_after", "minute_before"):
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
