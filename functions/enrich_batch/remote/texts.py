"""The texts and the picture in an answer: a stranger's, so each is checked before it is used."""

import re
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, Field

from functions.enrich_batch.one_line import one_line
from functions.shared.contract.highlight import HighlightText

MAX_TITLE, MAX_SUMMARY, MAX_URL = 200, 600, 2048  # characters
# We isolate names and scores ourselves; a mark of the answer's own would leave a gap on one line.
ISOLATES: Final = dict.fromkeys(range(0x2066, 0x206A))
# No user, who could pass for the host, and nothing that a page would have to escape.
URL: Final = re.compile(r"https?://[\w.\-\[\]:]+(?:[/?#][\w.~!$%&()*+,;=:@/?#\[\]-]*)?", re.ASCII)


def _clean(text: str) -> str:
    """Return the text on one line, without invisible characters.

    Raises:
        ValueError: it says nothing.
    """
    line = one_line(text.translate(ISOLATES))
    if line is None:
        raise ValueError("it says nothing")
    return line


class AnsweredText(BaseModel):
    """A title and a summary, each on one line."""

    title: Annotated[str, Field(max_length=MAX_TITLE), AfterValidator(_clean)]
    summary: Annotated[str, Field(max_length=MAX_SUMMARY), AfterValidator(_clean)]

    @property
    def text(self) -> HighlightText:
        """The text as a highlight has it."""
        return HighlightText(self.title, self.summary)


def texts_by_language(
    answered: Mapping[str, object], languages: tuple[str, ...]
) -> dict[str, HighlightText]:
    """Return the texts of those of these languages that were answered, in whatever case.

    Raises:
        ValidationError: one of them is not of the form.
    """
    folded = {tag.casefold(): text for tag, text in answered.items()}
    return {
        tag: AnsweredText.model_validate(folded[tag.casefold()]).text
        for tag in languages
        if tag.casefold() in folded
    }


def thumbnail_url(answered: object) -> str | None:
    """Return the URL of a picture if it is http(s), ASCII and of bounded length, else None."""
    if not isinstance(answered, str) or len(answered) > MAX_URL:
        return None
    return answered if URL.fullmatch(answered) else None
