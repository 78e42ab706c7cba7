"""The phrases of a language, from its file in `languages/`, which needs no Python to edit."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from string import Formatter
from typing import Any, Final
from unicodedata import bidirectional

FOLDER: Final = Path(__file__).parent / "languages"
LANGUAGES: Final = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))  # tags of BCP 47
NO_BREAK: Final = "\N{NO-BREAK SPACE}"  # "~" in a file
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"


class UnknownLanguage(ValueError):
    """There is no file of this language."""


@dataclass(frozen=True, slots=True, eq=False)  # so that it is a fast key
class Phrase:
    """A phrase with {words}, and with [parts] that are left out if one of their words is unknown.

    A phrase without {player} is for a player who is unknown.
    """

    parts: tuple[tuple[str, frozenset[str]], ...]
    required: frozenset[str]
    words: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> "Phrase":
        """Return the phrase that is written as this text."""
        parts = [
            (part, _placeholders(part)) for part in re.split(r"[\[\]]", text.replace("~", NO_BREAK))
        ]
        return cls(
            tuple((part, words) for part, words in parts if part),
            frozenset().union(*(words for _, words in parts[::2])),
            frozenset().union(*(words for _, words in parts)),
        )

    def fits(self, known: AbstractSet[str]) -> bool:
        """Return whether all required words are known, and the player is told if known."""
        return self.required <= known and ("player" in self.words or "player" not in known)

    def fill(self, words: Mapping[str, str]) -> str:
        """Return the phrase with these words."""
        known = words.keys()
        return "".join([part.format_map(words) for part, needed in self.parts if needed <= known])


Phrases = tuple[Phrase, ...]


@lru_cache(maxsize=4096)
def fitting(phrases: Phrases, known: frozenset[str]) -> Phrases:
    """Return the phrases that fit these known words."""
    return tuple(phrase for phrase in phrases if phrase.fits(known))


@dataclass(frozen=True, slots=True)
class Language:
    """The content of a language's file; phrases by their path, such as `goal.late.equalises`."""

    tag: str
    is_right_to_left: bool
    formats: Mapping[str, str]
    ordinals: tuple[tuple[str, str], ...]  # a pattern of the number, and its ending
    side: Mapping[str, Mapping[str, str]]
    listed_side: Mapping[str, Mapping[str, str]]  # those forms that are told beside the names too
    kind: Mapping[str, Mapping[str, str]]  # words by kind, and by their names
    event_types: Mapping[str, str]
    titles: Mapping[str, Phrases]
    summaries: Mapping[str, Phrases]

    def isolate(self, text: str) -> str:
        """Return the text, isolated if it has letters of the other direction than the language."""
        if text.isascii() and not self.is_right_to_left:
            return text
        others = {"L"} if self.is_right_to_left else {"R", "AL"}
        if others.isdisjoint(map(bidirectional, text)):
            return text
        return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"

    def ordinal(self, number: int) -> str:
        """Return the number as an ordinal, in digits; as a cardinal if the language has none."""
        return _ordinal(number, self.ordinals)


@cache
def load_language(tag: str) -> Language:
    """Return the language with this tag, read once per process.

    Raises:
        UnknownLanguage: there is no file of it.
    """
    if tag not in LANGUAGES:
        raise UnknownLanguage(f"{tag} is none of {', '.join(LANGUAGES)}")
    content = tomllib.loads((FOLDER / f"{tag}.toml").read_text("utf-8"))
    return Language(
        tag,
        content["direction"] == "rtl",
        content["formats"],
        tuple((pattern, ending) for pattern, ending in content["ordinals"]),
        content["side"],
        {name: form for name, form in content["side"].items() if not name.startswith("unlisted")},
        _by_kind(content["kind"]),
        content["event_types"],
        dict(_phrases(content["title"])),
        dict(_phrases(content["summary"])),
    )


def _by_kind(table: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    kinds = {kind for forms in table.values() for kind in forms}
    return {
        kind: {name: forms[kind] for name, forms in table.items() if kind in forms}
        for kind in kinds
    }


def _phrases(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Phrases]]:
    for name, value in table.items():
        if isinstance(value, list):
            yield path + name, tuple(Phrase.parse(text) for text in value)
        else:
            yield from _phrases(value, f"{path}{name}.")


def _placeholders(part: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(part) if name)


@cache
def _ordinal(number: int, endings: tuple[tuple[str, str], ...]) -> str:
    ending = next((end for pattern, end in endings if re.search(pattern, str(number))), "")
    return f"{number}{ending}"
