"""Where an installed package lies, without importing it."""

import importlib.util
from pathlib import Path

from local.stack.errors import StackError


def folder_of(package: str) -> Path:
    """The folder of a package.

    Raises:
        StackError: it is not installed.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise StackError(f"the package {package} is missing; run: make setup")
    return Path(found.origin).parent
