"""Generated documents: written into the folder of their package, or compared with what is there."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_or_check(module: str, description: str, documents: Mapping[str, Any]) -> int:
    """Write a module's documents, given by their file names; with `--check`, only compare them.

    Returns the exit status: 1 if `--check` finds a document stale.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    check = parser.parse_args().check
    folder = Path(__file__).parent / module.rpartition(".")[2]
    stale = 0
    for name, document in documents.items():
        path = folder / name
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if check:
            sys.stderr.write(f"{path} is stale: run `python -m {module}`\n")
        else:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0
