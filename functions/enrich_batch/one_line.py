"""Text on one line, without invisible characters."""

import re
import unicodedata

# Soft hyphens, direction marks, zero-width spaces, tags and other characters that Unicode says to
# ignore where they are not supported, and blank letters; a flag that is spelt in tags goes too.
_INVISIBLE = re.compile(
    "\U0001f3f4[\U000e0020-\U000e007f]+"
    "|[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u2064\u206a-\u206f"
    "\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e007f]"
)
_JOINER = re.compile("[\u200c\u200d]+")
_EMOJI_STYLE = "\ufe0f"
_VIRAMA = 9  # its canonical combining class
# White space, control characters, and the marks that reorder the text after them.
_GAP = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


def one_line(text: str | None) -> str | None:
    """Return the text on one line; None for a text without any letter, digit or symbol."""
    if text is None:
        return None
    line = without_invisible(text)
    # The only gaps in printable text are spaces.
    line = " ".join(line.split()) if line.isprintable() else _GAP.sub(" ", line).strip()
    is_said = line[:1].isalnum() or any(unicodedata.category(each)[0] in "LNS" for each in line)
    return line if is_said else None


def without_invisible(text: str) -> str:
    """Remove invisible characters, but not the joiners that shape the characters beside them."""
    if text.isascii():
        return text
    text = _INVISIBLE.sub("", text)
    return _JOINER.sub(lambda joiner: joiner[0] if _joins(text, joiner) else "", text)


def _joins(text: str, joiner: re.Match[str]) -> bool:
    """Return whether joiners are between Arabic or Indic letters, or between emoji."""
    start, end = joiner.span()
    if start == 0 or end == len(text):
        return False
    before, after = text[start - 1], text[end]
    return (
        _VIRAMA in (unicodedata.combining(before), unicodedata.combining(after))
        or "AL" in (unicodedata.bidirectional(before), unicodedata.bidirectional(after))
        or (_is_emoji(before) and unicodedata.category(after) == "So")
    )


def _is_emoji(character: str) -> bool:
    return character == _EMOJI_STYLE or unicodedata.category(character) in ("So", "Sk")
