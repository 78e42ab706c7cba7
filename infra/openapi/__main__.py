"""`python -m infra.openapi`: writes the documents; `--check` reports stale ones."""

import sys

from infra.generated import write_or_check
from infra.openapi import events, highlights
from infra.openapi.schemas import Json


def documents() -> dict[str, Json]:
    """Return the documents by their file names."""
    return {"events.json": events.document(), "highlights.json": highlights.document()}


if __name__ == "__main__":
    sys.exit(write_or_check("infra.openapi", __doc__, documents()))
