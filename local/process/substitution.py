"""Environment variables in files: `${NAME}` and `${NAME:-default}`, as a shell writes them.

What `NAME` may say may stand in a file instead, whose path `NAME_FILE` says, or be a reference to
a secret, as for the functions.
"""

import re
from collections.abc import Callable, Mapping

from functions.shared.settings.secrets import SecretError, process_secrets, read_file

REFERENCE = re.compile(r"\$\{([^}]*)(\}?)")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

Reveal = Callable[[str], str]


class SubstitutionError(ValueError):
    """A text names an environment variable that is not set, or names one badly."""


def substitute(
    text: str, environ: Mapping[str, str], reveal: Reveal = process_secrets.reveal
) -> str:
    """Replace each `${NAME}` of `text`; a default stands in for a variable unset or empty.

    `reveal` says what a reference means, and raises SecretError.
    Raises SubstitutionError with a sentence that names the variable.
    """
    return REFERENCE.sub(lambda match: _value(match, environ, reveal), text)


def _value(match: re.Match[str], environ: Mapping[str, str], reveal: Reveal) -> str:
    reference, end = match.groups()
    name, has_default, default = reference.partition(":-")
    if not end or not NAME.fullmatch(name):
        raise SubstitutionError(f"{match[0]!r} is neither ${{NAME}} nor ${{NAME:-default}}")
    value = environ.get(name) or _filed(f"{name}_FILE", environ)
    if value:
        value = _revealed(name, value, reveal)
    if has_default:
        return value or default
    if value is None and name not in environ:
        raise SubstitutionError(f"the environment variable {name} is not set")
    return value or ""


def _filed(name: str, environ: Mapping[str, str]) -> str | None:
    path = environ.get(name)
    if not path:
        return None
    try:
        return read_file(path)
    except ValueError as error:
        raise SubstitutionError(f"the file that {name} names cannot be read: {error}") from None


def _revealed(name: str, value: str, reveal: Reveal) -> str:
    try:
        return reveal(value)
    except SecretError as error:
        raise SubstitutionError(f"{name} is wrong: {value}: {error}") from None
