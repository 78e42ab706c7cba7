"""Environment variables in files: `${NAME}` and `${NAME:-default}`, as a shell writes them.

The value of `NAME` may also be in the file at the path `NAME_FILE`, or be a reference to a secret,
as for the functions.
"""

import re
from collections.abc import Callable, Mapping

from functions.shared.settings.secrets import SecretError, process_secrets, read_file

REFERENCE = re.compile(r"\$\{([^}]*)(\}?)")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

ResolveSecret = Callable[[str], str]


class SubstitutionError(ValueError):
    """A text refers to an environment variable that is not set, or in a wrong form."""


def substitute(
    text: str, environ: Mapping[str, str], resolve: ResolveSecret = process_secrets.reveal
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
    value = environ.get(name) or _from_file(f"{name}_FILE", environ)
    if value:
        value = _resolve(name, value, resolve)
    if has_default:
        return value or default
    if value is None and name not in environ:
        raise SubstitutionError(f"the environment variable {name} is not set")
    return value or ""


def _from_file(name: str, environ: Mapping[str, str]) -> str | None:
    path = environ.get(name)
    if not path:
        return None
    try:
        return read_file(path)
    except ValueError as error:
        raise SubstitutionError(f"the file that {name} names cannot be read: {error}") from None


def _resolve(name: str, value: str, resolve: ResolveSecret) -> str:
    try:
        return resolve(value)
    except SecretError as error:
        raise SubstitutionError(f"{name} is wrong: {value}: {error}") from None
