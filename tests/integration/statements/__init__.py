"""The statements that functions of each schema run, by their names in functions.shared.postgres.

`python -m tests.integration.statements` writes down those of today, under the newest migration's
name: before the next one is added, since functions of today go on while that is applied.
"""

import re
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent
HEADING = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def statements(migration: str) -> Mapping[str, str]:
    """The SQL of each statement, by its name, of the functions that this migration was made for."""
    _, *parts = HEADING.split((FOLDER / f"{migration}.sql").read_text())
    return dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))
