"""The good and the bad texts, a line each, with their facts and the reason."""

import json
from dataclasses import dataclass
from pathlib import Path

from functions.shared.contract.highlight import Facts, HighlightText

FOLDER = Path(__file__).parents[1] / "unit" / "guard"


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, its facts, and the code of the rule that refuses it, "" if none does."""

    name: str
    kind: str
    code: str
    language: str
    facts: Facts
    text: HighlightText


def samples(file: str) -> list[Sample]:
    """Return the lines of a file."""
    lines = (FOLDER / file).read_text(encoding="utf-8").splitlines()
    return [
        Sample(
            line["name"],
            line.get("kind", ""),
            line.get("code", ""),
            line["language"],
            Facts(**line["facts"]),
            HighlightText(line["title"], line["summary"]),
        )
        for line in map(json.loads, lines)
    ]


GOOD = samples("good.jsonl")
BAD = samples("bad.jsonl")
