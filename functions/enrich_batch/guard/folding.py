"""Forms in which spellings of one word are equal."""

import re
from unicodedata import normalize

# Letters that Unicode does not take apart into a letter and a mark, and the Arabic lengthening.
_LETTERS = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ŋ": "n", "ı": "i",
        "ə": "e", "þ": "th", "æ": "ae", "œ": "oe", "\u0640": "",
    }
)  # fmt: skip
# Marks of Latin, Greek and Cyrillic, Hebrew and Arabic. Those of other scripts make other letters.
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]+")


def fold(text: str) -> str:
    """Return the text in NFKC, without case."""
    return text.lower() if text.isascii() else normalize("NFKC", normalize("NFKC", text).casefold())


def without_marks(folded: str) -> str:
    """Return a folded text without diacritics: "ø" is "o", and "ガ" remains."""
    if folded.isascii():
        return folded
    return normalize("NFC", _MARKS.sub("", normalize("NFKD", folded))).translate(_LETTERS)
