"""`python -m infra.openapi`: writes the documents; `--check` reports stale ones."""

import argparse
import json
import sys
from pathlib import Path

from infra.openapi import events, highlights
from infra.openapi.parts import Json

FOLDER = Path(__file__).parent


def documents() -> dict[str, Json]:
    """Return the documents by their file names."""
    return {"events.json": events.document(), "highlights.json": highlights.document()}


def main() -> int:
    """Write the documents, or compare them with the committed ones; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    check = parser.parse_args().check
    stale = 0
    for name, document in documents().items():
        path = FOLDER / name
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        if check:
            sys.stderr.write(f"{path} is stale: run `python -m infra.openapi`\n")
        else:
            path.write_text(text)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
