"""The settings for languages."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator

from functions.shared.settings.base import Settings

# A language, its script, its region and its variants: what a text can be in (RFC 5646, 2.1).
TAG: Final = re.compile(
    r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*",
    re.ASCII,
)


def _languages(text: str) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys(map(_canonical, re.findall(r"[^\s,]+", text))))
    if not tags:
        raise ValueError("it holds no language")
    for tag in tags:
        if not TAG.fullmatch(tag):
            raise ValueError(
                f"{tag!r} is no language tag of BCP 47; they are as de, pt-BR, zh-Hant"
            )
    return tags


def _canonical(tag: str) -> str:
    """Return a tag in the case that RFC 5646, 2.1.1, recommends: zh-Hant-TW."""
    first, *others = tag.lower().split("-")
    cased = {2: str.upper, 4: str.capitalize}
    return "-".join([first, *(cased.get(len(each), str)(each) for each in others)])


class LanguageSettings(Settings):
    """The languages of texts, as tags of BCP 47; title and summary are in the first."""

    languages: Annotated[tuple[str, ...], BeforeValidator(_languages)] = ("en",)
