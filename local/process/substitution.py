"""Environment variables in files: `${NAME}` and `${NAME:-default}`, as a shell writes them.

The value of `NAME` may also be in the file at the path `NAME_FILE`, or be a reference to a secret,
as for the functions.
"""

import re
from collections.abc import Callable, Mapping

from functions.shared.settings.environment import read_variable
from functions.shared.settings.errors import SecretError
from functions.shared.settings.secret_references import process_secrets

REFERENCE = re.compile(r"\$\{([^}]*)(\}?)")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

ResolveSecret = Callable[[str], str]


class SubstitutionError(ValueError):
    """A text refers to an environment variable that is not set, or in a wrong form."""


def substitute(
    text: str, environ: Mapping[str, str], resolve: ResolveSecret = process_secrets.resolve
) -> str:
    """Replace each `${NAME}` in `text`; the default replaces a variable that is unset or empty.

    `resolve` returns a value with a reference to a secret replaced, or raises SecretError.

    Raises:
        SubstitutionError: a variable has no value; the message names it.
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
