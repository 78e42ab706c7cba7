"""Loads settings from the environment at the start, and again when a secret may have changed."""

import logging
import os
from collections.abc import Collection, Mapping
from typing import TypeVar

from pydantic import ValidationError

from functions.shared.settings.base import Settings
from functions.shared.settings.environment import read_variable
from functions.shared.settings.errors import SecretError, SettingsError
from functions.shared.settings.secret_references import Secrets, is_reference, process_secrets

log = logging.getLogger(__name__)

S = TypeVar("S", bound=Settings)


def load(
    model: type[S], environ: Mapping[str, str] = os.environ, secrets: Secrets = process_secrets
) -> S:
    """Read `model` from the environment; an empty variable counts as unset.

    The value of `NAME` may be in a file instead, at the path in `NAME_FILE`; it may also be a
    reference to a secret, as in functions/shared/settings/secret_references.py.

    Raises:
        SettingsError: names every variable that is missing or wrong.
    """
    return _load(model, environ, secrets)


def reload_if_changed(settings: S, *fields: str) -> S | None:
    """Read the settings again; return them if one of `fields` has changed, else None.

    Only values from files and references can change. If they cannot be read, or are not valid,
    that is logged and nothing has changed. May take some seconds.
    """
    names = [str(type(settings).model_fields[field].alias) for field in fields]
    environ = settings._environ
    if not any(f"{name}_FILE" in environ or is_reference(environ.get(name, "")) for name in names):
        return None
    try:
        fresh = _load(type(settings), environ, settings._secrets, refresh=names)
    except SettingsError as error:  # would end the process, whose settings may still serve it
        log.error("the settings cannot be renewed: %s", str(error).removeprefix("cannot start: "))  # noqa: TRY400
        return None
    has_changed = any(getattr(fresh, field) != getattr(settings, field) for field in fields)
    return fresh if has_changed else None


def _load(
    model: type[S], environ: Mapping[str, str], secrets: Secrets, *, refresh: Collection[str] = ()
) -> S:
    values, errors = {}, {}
    names = [str(field.alias) for field in model.model_fields.values()]
    for name in names:
        try:
            value = _read(name, environ)
            values[name] = secrets.resolve(value, refresh=name in refresh)
        except SecretError as error:
            errors[name] = f"{name} is wrong: {value}: {error}"
        except ValueError as error:
            errors[name] = f"{name}_FILE is wrong: {error}"
    try:
        settings = model.model_validate({name: value for name, value in values.items() if value})
    except ValidationError as error:
        for detail in error.errors(include_input=False, include_url=False):
            name = str(detail["loc"][0]) if detail["loc"] else ""
            errors.setdefault(name, _explain(name, detail["type"], detail["msg"]))
    if errors:
        raise SettingsError("cannot start: " + "; ".join(errors.values()))
    sources = (source for name in names for source in (name, f"{name}_FILE"))
    settings._environ = {source: environ[source] for source in sources if environ.get(source)}
    settings._secrets = secrets
    return settings


def _read(name: str, environ: Mapping[str, str]) -> str:
    if environ.get(name) and environ.get(f"{name}_FILE"):
        raise ValueError(f"{name} is set too")
    return read_variable(name, environ) or ""


def _explain(name: str, kind: str, message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not name:  # an error between several variables names them itself
        return message
    return f"{name} is missing" if kind == "missing" else f"{name} is wrong: {message}"
