"""The language of an answer: by the parameter `lang`, or by Accept-Language (RFC 9110, 12.5.4)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from starlette.requests import Request

from functions.shared.http.headers import header_lines

MAX_LENGTH: Final = 1024  # characters of the header that are read; browsers send a tenth of that
MAX_SUBTAGS: Final = 8
SUBTAGS: Final = r"[a-z]{1,8}(?:-[a-z0-9]{1,8})*"
RANGE: Final = re.compile(SUBTAGS, re.ASCII | re.IGNORECASE)
WEIGHTED_RANGE: Final = re.compile(
    rf"\s*(\*|{SUBTAGS})\s*(?:;\s*q=(0(?:\.[0-9]{{0,3}})?|1(?:\.0{{0,3}})?)\s*)?",
    re.ASCII | re.IGNORECASE,
)
ANY: Final = "*"


@dataclass(frozen=True, eq=False, slots=True)
class Language:
    """A language in which highlights are read; `tag` is empty if no other one is configured.

    Then answers do not mention it.
    """

    tag: str = ""

    @property
    def translation(self) -> str | None:
        """Its key in `texts`, which the first language has too: another one may have been first.

        None for `title` and `summary` as they are.
        """
        return self.tag or None

    def carried(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Return the query parameters of a link to more in this language."""
        others = {name: value for name, value in parameters.items() if name != "lang"}
        return {**others, "lang": self.tag} if self.tag else others


ONLY: Final = Language()


class Languages:
    """The languages that are configured, by their tags; the first is that of title and summary."""

    def __init__(self, tags: Sequence[str] = ("en",)) -> None:
        self.tags = tags
        self._are_several = len(tags) > 1
        languages = [Language(tag) for tag in tags] if self._are_several else [ONLY]
        self._first = languages[0]
        self._known = {tag.lower(): each for tag, each in zip(tags, languages, strict=True)}
        self._negotiated = lru_cache(maxsize=256)(self._negotiate)

    def find(self, language_range: str) -> Language | None:
        """Return the language that a range means, or None: `de-AT` finds `de`, `pt` finds `pt-BR`.

        That is the lookup of RFC 4647, 3.4, which drops one subtag after the other; and at each
        step the first language of which what is left is a prefix, if none is just that.
        """
        if not RANGE.fullmatch(language_range):
            return None
        return _look_up(language_range.lower(), self._known)

    def choose(
        self, request: Request, asked: Language | None
    ) -> tuple[Language, Mapping[str, str]]:
        """Return the language of an answer, and the headers that tell of it.

        That is what the parameter `lang` asks for, else what `Accept-Language` prefers, else the
        first.
        """
        if not self._are_several:
            return self._first, {}
        if asked is not None:
            return asked, {"Content-Language": asked.tag}
        lines = header_lines(request, b"accept-language")
        accepted = self._negotiated(b",".join(lines)[:MAX_LENGTH].decode("latin-1"))
        return accepted, {"Content-Language": accepted.tag, "Vary": "Accept-Language"}

    def _negotiate(self, accept_language: str) -> Language:
        """Return the language that is preferred, or the first if none is accepted."""
        weights = _weights(accept_language)
        refused = [each for each, weight in weights.items() if weight == 0]
        acceptable = {
            tag: language for tag, language in self._known.items() if not _is_in(tag, refused)
        }
        for preferred in sorted(weights, key=weights.__getitem__, reverse=True):
            if preferred in refused:
                break
            if preferred == ANY:  # what no other range means
                unnamed = (tag for tag in acceptable if not _is_in(tag, weights))
                found = next((acceptable[tag] for tag in unnamed), None)
            else:
                found = _look_up(preferred, acceptable)
            if found is not None:
                return found
        return self._first


ENGLISH: Final = Languages()


def _weights(accept_language: str) -> dict[str, float]:
    """Return the weight of each range, in their order; what is malformed is left out."""
    elements = map(WEIGHTED_RANGE.fullmatch, accept_language.split(","))
    return {each[1].lower(): float(each[2] or 1) for each in elements if each}


def _look_up(language_range: str, known: Mapping[str, Language]) -> Language | None:
    subtags = language_range.split("-")[:MAX_SUBTAGS]
    while subtags:
        prefix = "-".join(subtags)
        if prefix in known:
            return known[prefix]
        for tag, language in known.items():
            if tag.startswith(f"{prefix}-"):
                return language
        subtags.pop()
    return None


def _is_in(tag: str, ranges: Iterable[str]) -> bool:
    return any(tag == each or tag.startswith(f"{each}-") for each in ranges)
