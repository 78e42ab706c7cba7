"""Texts of highlights, as an enricher and its reviewer make them."""

from typing import Any

from functions.shared.contract.highlight import Enrichment, HighlightText


def enrichment(
    title: str = "Goal", summary: str = "A goal.", *, by: str = "template", **more: Any
) -> Enrichment:
    """The text of a highlight in English."""
    return Enrichment({"en": HighlightText(title, summary)}, by, **more)
