"""The services, functions and tools of a stack, each as a command to run."""

import importlib.util
from pathlib import Path

from local.stack import StackError


def package_folder(package: str) -> Path:
    """Return the folder of an installed package, without importing it.

    Raises:
        StackError: it is not installed.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise StackError(f"the package {package} is missing; run: make setup")
    return Path(found.origin).parent
