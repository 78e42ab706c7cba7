"""Selecting matches by words of their teams."""

import unicodedata
from collections.abc import Sequence

from local.replay.openfootball import Match


class NoSuchMatchError(ValueError):
    """No match has all of these words in its teams; the message lists the teams."""


def select(matches: Sequence[Match], texts: Sequence[str]) -> list[Match]:
    """Return the matches whose teams contain every word of at least one of `texts`.

    Case and accents do not count. Without texts all matches are returned.

    Raises:
        NoSuchMatchError: a text selects no match.
    """
    if not texts:
        return list(matches)
    chosen = [[match for match in matches if _has_words(match, text)] for text in texts]
    for text, found in zip(texts, chosen, strict=True):
        if not found:
            raise NoSuchMatchError(f"no match of '{text}'; the teams are: {_teams(matches)}")
    return [match for match in matches if any(match in found for found in chosen)]


def _has_words(match: Match, text: str) -> bool:
    teams = _plain(f"{match.home} {match.away}")
    return all(word in teams for word in _plain(text).split())


def _teams(matches: Sequence[Match]) -> str:
    return ", ".join(sorted({team for match in matches for team in (match.home, match.away)}))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text)
    return "".join(c for c in letters if not unicodedata.combining(c)).casefold()
