"""Environment variables in files: `${NAME}` and `${NAME:-default}`, as a shell writes them.

What `NAME` may say may stand in a file instead, whose path `NAME_FILE` says, or be a reference to
a secret, as for the functions.
"""

import re
from collections.abc import Callable, Mapping

from functions.shared.settings.environment import read_variable
from functions.shared.settings.errors import SecretError
from functions.shared.settings.secrets import process_secrets

REFERENCE = re.compile(r"\$\{([^}]*)(\}?)")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

ResolveSecret = Callable[[str], str]


class SubstitutionError(ValueError):
    """A text names an environment variable that is not set, or names one badly."""


def substitute(
    text: str, environ: Mapping[str, str], resolve: ResolveSecret = process_secrets.resolve
) -> str:
    """Replace each `${NAME}` of `text`; a default stands in for a variable unset or empty.

    `resolve` returns a value with a reference to a secret replaced, or raises SecretError.
    Raises SubstitutionError with a sentence that names the variable.
    """
    return REFERENCE.sub(lambda match: _value(match, environ, resolve), text)


def _value(match: re.Match[str], environ: Mapping[str, str], resolve: ResolveSecret) -> str:
    reference, end = match.groups()
    name, has_default, default = reference.partition(":-")
    if not end or not NAME.fullmatch(name):
        raise SubstitutionError(f"{match[0]!r} is neither ${{NAME}} nor ${{NAME:-default}}")
    value = _read(name, environ)
    if value:
        value = _resolve(name, value, resolve)
    if has_default:
        return value or default
    if value is None:
        raise SubstitutionError(f"the environment variable {name} is not set")
    return value or ""


def _read(name: str, environ: Mapping[str, str]) -> str | None:
    try:
        return read_variable(name, environ)
    except ValueError as error:
        why = f"the file that {name}_FILE names cannot be read: {error}"
        raise SubstitutionError(why) from None


def _resolve(name: str, value: str, resolve: ResolveSecret) -> str:
    try:
        return resolve(value)
    except SecretError as error:
        raise SubstitutionError(f"{name} is wrong: {value}: {error}") from None
