"""Names of teams, compared in one form of Unicode and without case."""

from typing import Final, Literal
from unicodedata import normalize

Side = Literal["home", "away"]

SIDES: Final[tuple[Side, Side]] = ("home", "away")


def fold_name(name: str) -> str:
    """Return the form in which spellings of one name are equal (Unicode 3.13, D145), in NFC."""
    if name.isascii():
        return name.lower()
    return normalize("NFC", normalize("NFD", name).casefold())


def side_of(team: str | None, home_team: str | None, away_team: str | None) -> Side | None:
    """Return the side that `team` is, by the word or by the side's name, if only one fits."""
    if team is None:
        return None
    folded = fold_name(team)
    home = folded in ("home", fold_name(home_team or "home"))
    away = folded in ("away", fold_name(away_team or "away"))
    if home == away:
        return None
    return "home" if home else "away"
