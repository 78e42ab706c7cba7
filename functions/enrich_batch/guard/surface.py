"""What no text may contain, whatever the facts are: found by its characters alone."""

import re
from collections.abc import Callable
from functools import cache
from unicodedata import category

from functions.enrich_batch.guard.folding import fold, without_marks
from functions.enrich_batch.guard.grounds import Grounds
from functions.enrich_batch.guard.lexicon import Lexicon
from functions.enrich_batch.guard.tokens import DENSE, FIRST_STAND_IN, Kind, tokenize
from functions.enrich_batch.one_line import without_invisible

ISOLATED = re.compile("[\u2066-\u2068]([^\u2066-\u2069]+)\u2069")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
MARKS = ".,;:!?¡¿()+/…'’′\\-–—‐\u2011−·・、。،؛؟"
TOP_LEVEL = "com|net|org|io|tv|co|de|fr|es|br|uk|jp|info|me|app|football"


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the pattern of each code; what one finds is hidden from those after it."""
    marks = "".join(chr(code) for code in range(0x300, 0x3100) if category(chr(code))[0] == "M")
    last = chr(FIRST_STAND_IN + 15)
    patterns = {
        "placeholder": r"\[\[.*?\]\]|\{\{?[^{}]*\}?\}?|\$\{?\w+\}?|%[sd]\b|<[A-Z][A-Z_ ]*>|_{2,}"
        r"|\[[A-Z][A-Z_ ]*\]|\b(?:None|NaN|N/A|TBD|TODO|undefined|(?i:null|lorem ipsum))\b",
        "address": r"\b(?:https?|ftp)://\S+|\bwww\.\S+|[\w.+-]+@[\w-]+\.\w+"
        rf"|\b[a-z0-9-]+\.(?:{TOP_LEVEL})\b(?:/\S*)?",
        "handle": r"[#@]\w+",
        "markup": r"</?\w[^<>]*>?|&(?:#\w+|\w+);|\\[nrtu]\w*|[*_`~|<>=^\\{}\[\]#]+",
        "quotation": r"[\"“”„‟«»‹›‘‚「」『』＂]|(?<![\w.)])['’](?=\w)",
        "emoji": "[\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\ufe0f\u20e3"
        "\U0001f000-\U0001faff\U000e0020-\U000e007f]+",
        "symbol": rf"[{marks}]{{3,}}"
        rf"|[^\w\s{MARKS}{marks}{chr(FIRST_STAND_IN)}-{last}\u200c\u200d]+",
    }
    return tuple((code, re.compile(pattern)) for code, pattern in patterns.items())


# A text of nothing but these, and without what _is_usual looks for, matches none of the patterns.
_USUAL = re.compile(r"[\w\s.,:;()+\-–'’]*")
_UNUSUAL = re.compile(r"\.\w|[.,:;()+\-–'’]{3}")
_QUOTE = re.compile(r"(?<![\w.)])['’]\w")
_PLACEHOLDERS = ("none", "nan", "tbd", "todo", "undefined", "null", "lorem", "_")


def _is_usual(text: str) -> bool:
    """Return whether no pattern can match, which is quick to see for most texts."""
    if not _USUAL.fullmatch(text) or _UNUSUAL.search(text) or _QUOTE.search(text):
        return False
    lower = text.lower()
    return not any(word in lower for word in _PLACEHOLDERS)


class Surface:
    """What a text in NFKC contains that none may, and the rest of it."""

    def __init__(self, text: str, raw: str, grounds: Grounds, lexicon: Lexicon) -> None:
        self.found: list[tuple[str, str]] = []
        self._names = grounds.names
        self._lexicon = lexicon
        # Names with odd symbols come first, since these may look like markup.
        for character, (_, name) in sorted(
            grounds.stand_ins.items(), key=lambda stand_in: -len(stand_in[1][1])
        ):
            letter = rf"[^\W{DENSE}]"
            text = re.sub(rf"(?<!{letter}){re.escape(name)}(?!{letter})", character, text)
        if not raw.isascii() or not raw.isprintable():
            text = self._without_controls(text)
        if not _is_usual(text):
            for code, pattern in _patterns():
                text = pattern.sub(self._hide(code), text)
        self.rest = text

    def _without_controls(self, text: str) -> str:
        if not CONTROL.search(text):
            return self._without_invisible(text)
        inner = None
        while inner != text:  # isolates may be within isolates
            inner, text = text, ISOLATED.sub(self._without_isolates, text)
        return self._without_invisible(CONTROL.sub(self._hide("control"), text))

    def _without_invisible(self, text: str) -> str:
        visible = without_invisible(text)
        if visible != text:
            self.found.append(("control", next(c for c in text if c not in visible)))
        return visible

    def _without_isolates(self, match: re.Match[str]) -> str:
        return match[1 if self._is_name(match[1]) else 0]

    def _is_name(self, text: str) -> bool:
        """Return whether direction isolates are around nothing but names and numbers."""
        return all(
            token.kind not in (Kind.WORD, Kind.DENSE)
            or token.plain in self._names
            or token.plain in self._lexicon.separators
            for token in tokenize(text)
        )

    def _hide(self, code: str) -> Callable[[re.Match[str]], str]:
        def hide(match: re.Match[str]) -> str:
            word = without_marks(fold(match[0]))
            if code == "placeholder" and (word in self._names or word in self._lexicon.numbers):
                return match[0]  # a player may be called Null, and in German it is 0
            self.found.append((code, match[0]))
            return " "

        return hide
