"""Which matches a person means by a few words."""

import unicodedata
from collections.abc import Sequence

from local.replay.openfootball import Match


class NoSuchMatchError(ValueError):
    """No match has all of these words in its teams; the message says which teams there are."""


def select(matches: Sequence[Match], wanted: Sequence[str]) -> list[Match]:
    """Return the matches whose teams contain every word of at least one text of `wanted`.

    Case and accents do not count. No text selects every match; a text that selects none raises
    NoSuchMatchError.
    """
    if not wanted:
        return list(matches)
    chosen = [[match for match in matches if _has_words(match, text)] for text in wanted]
    for text, found in zip(wanted, chosen, strict=True):
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
