"""Reads a triggers' file: TOML, with variables of the environment, into its models."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from functions.shared.settings.secret_references import process_secrets
from local.kafka_trigger.config.models import Config, Retry, Trigger
from local.kafka_trigger.filters.record_filter import Filter
from local.process.substitution import ResolveSecret, SubstitutionError, substitute

KeyPath = tuple[str | int, ...]

DESCRIPTIONS = {
    field.alias or name: field.description
    for table in (Config, Trigger, Retry, Filter)
    for name, field in table.model_fields.items()
}


class ConfigError(Exception):
    """The triggers' file cannot be used; the message has a line for each error."""


def load(
    path: Path, environ: Mapping[str, str], resolve: ResolveSecret = process_secrets.resolve
) -> Config:
    """Read a triggers' file; its variables are substituted, also by secrets that they refer to.

    Raises ConfigError with a line for each error.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), environ, resolve)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, ConfigError) as error:
        lines = str(error).splitlines()
        raise ConfigError("\n".join(f"{path}: {line}" for line in lines)) from error


def parse(
    text: str, environ: Mapping[str, str], resolve: ResolveSecret = process_secrets.resolve
) -> Config:
    """Read the text of a triggers' file; raises ConfigError as `load` does."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"no TOML: {error}") from error
    fill = partial(substitute, environ=environ, resolve=resolve)
    errors = list(_substitute_in(document, fill, document)) or list(_validation_errors(document))
    if errors:
        raise ConfigError("\n".join(errors))
    return Config.model_validate(document)


def _substitute_in(
    node: Any, fill: Callable[[str], str], document: Mapping[str, Any], path: KeyPath = ()
) -> Iterator[str]:
    """Substitute variables within `node`, in place; yields an error for each that fails."""
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        key_path = (*path, key)
        if isinstance(value, dict | list):
            yield from _substitute_in(value, fill, document, key_path)
        elif isinstance(value, str):
            try:
                node[key] = fill(value)
            except SubstitutionError as error:
                yield f"{_label(key_path, document)}: {error}"


def _validation_errors(document: Mapping[str, Any]) -> Iterator[str]:
    try:
        Config.model_validate(document)
    except ValidationError as error:
        for detail in error.errors():
            yield f"{_label(detail['loc'], document)}: {_reason(detail)}"


def _reason(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return "is missing"
    if detail["type"] == "extra_forbidden":
        near = get_close_matches(str(detail["loc"][-1]), DESCRIPTIONS, 1)
        return f"is no key here; did you mean {near[0]}?" if near else "is no key here"
    if detail["type"] == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    if detail["loc"][:1] == ("kafka",):  # the input may be a secret
        return detail["msg"]
    return f"{detail['msg']}, and is {detail['input']!r}"


def _label(path: Sequence[str | int], document: Mapping[str, Any]) -> str:
    """A key in the file, with the name of its trigger and its meaning."""
    match path:
        case []:
            return "the file"
        case ["trigger", int(index), *keys]:
            owner = f"trigger {_trigger_name(document, index)}"
        case [first, *keys]:
            owner, keys = (f"[{first}]", keys) if keys else ("", [first])
    key = ".".join(str(part) for part in keys)
    description = DESCRIPTIONS.get(str(keys[-1])) if keys else None
    return ": ".join(filter(None, (owner, f"{key} ({description})" if description else key)))


def _trigger_name(document: Mapping[str, Any], index: int) -> str:
    match document["trigger"][index]:
        case {"name": str(name)}:
            return repr(name)
    return f"number {index + 1}"
