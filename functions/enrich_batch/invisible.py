"""Characters that nobody sees, which have no place in a title."""

import re
import unicodedata

# Soft hyphens, direction marks, zero-width spaces, tags and what else Unicode has to be ignored
# where it is not understood, and letters that are blank; a flag that is spelt in tags goes whole.
_INVISIBLE = re.compile(
    "\U0001f3f4[\U000e0020-\U000e007f]+"
    "|[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u2064\u206a-\u206f"
    "\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e007f]"
)
_JOINER = re.compile("[\u200c\u200d]+")
_EMOJI_STYLE = "\ufe0f"
_VIRAMA = 9  # its canonical combining class


def without_invisible(text: str) -> str:
    """The text without what is invisible; joiners stay where they shape what stands beside them."""
    if text.isascii():
        return text
    text = _INVISIBLE.sub("", text)
    return _JOINER.sub(lambda joiner: joiner[0] if _joins(text, joiner) else "", text)


def _joins(text: str, joiner: re.Match[str]) -> bool:
    """Whether joiners stand between Arabic or Indic letters, or between emoji."""
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
