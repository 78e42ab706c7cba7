"""Reading a variable from the environment, or from the file that its `NAME_FILE` names."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path


def read_variable(name: str, variables: Mapping[str, str]) -> str | None:
    """Return the value of `name`, else the content of the file at the path in `NAME_FILE`.

    None if both are unset; an empty variable counts as unset where there is a file.

    Raises:
        ValueError: the file cannot be read. The message gives the reason without the path, which
            may be a secret in the wrong variable.
    """
    value, path = variables.get(name), variables.get(f"{name}_FILE")
    return value if value or not path else _read_file(path)


def _read_file(path: str) -> str:
    """Return the text of a file, stripped of the white space around it."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    except OSError as error:
        permissions = _permissions(path) if isinstance(error, PermissionError) else ""
        raise ValueError(f"{error.strerror}{permissions}") from None


def _permissions(path: str) -> str:
    """Describe who may read a file, and who this process is."""
    try:
        status = Path(path).stat()
    except OSError:
        return f": user {os.geteuid()} may not pass through a folder above it"
    mode = stat.S_IMODE(status.st_mode)
    return (
        f": its mode is {mode:o}, its owner user {status.st_uid}, and this is user {os.geteuid()}"
    )
