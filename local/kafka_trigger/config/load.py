"""Reading a triggers' file: TOML, with the environment's values, into its models."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from functions.shared.settings.secrets import process_secrets
from local.kafka_trigger.config.models import Config, Retry, Trigger
from local.kafka_trigger.filters.compile import Filter
from local.process.substitution import ResolveSecret, SubstitutionError, substitute

Place = tuple[str | int, ...]

MEANING = {
    field.alias or name: field.description
    for table in (Config, Trigger, Retry, Filter)
    for name, field in table.model_fields.items()
}


class ConfigError(Exception):
    """The triggers' file cannot be used; the message has a line for each thing to mend."""


def load(
    path: Path, environ: Mapping[str, str], resolve: ResolveSecret = process_secrets.reveal
) -> Config:
    """Read a triggers' file, with the environment's values in it, and what their secrets are.

    Raises ConfigError with one line for each thing that is wrong.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), environ, resolve)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, ConfigError) as error:
        lines = str(error).splitlines()
        raise ConfigError("\n".join(f"{path}: {line}" for line in lines)) from error


def parse(
    text: str, environ: Mapping[str, str], resolve: ResolveSecret = process_secrets.reveal
) -> Config:
    """Read the text of a triggers' file; raises ConfigError as `load` does."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"no TOML: {error}") from error
    fill = partial(substitute, environ=environ, resolve=resolve)
    problems = list(_fill_in(document, fill, document)) or list(_refusals(document))
    if problems:
        raise ConfigError("\n".join(problems))
    return Config.model_validate(document)


def _fill_in(
    node: Any, fill: Callable[[str], str], document: Mapping[str, Any], place: Place = ()
) -> Iterator[str]:
    """Put the environment's values into `node`; yields what is wrong."""
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        here = (*place, key)
        if isinstance(value, dict | list):
            yield from _fill_in(value, fill, document, here)
        elif isinstance(value, str):
            try:
                node[key] = fill(value)
            except SubstitutionError as error:
                yield f"{_called(here, document)}: {error}"


def _refusals(document: Mapping[str, Any]) -> Iterator[str]:
    try:
        Config.model_validate(document)
    except ValidationError as error:
        for detail in error.errors():
            yield f"{_called(detail['loc'], document)}: {_why(detail)}"


def _why(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return "is missing"
    if detail["type"] == "extra_forbidden":
        near = get_close_matches(str(detail["loc"][-1]), MEANING, 1)
        return f"is no key here; did you mean {near[0]}?" if near else "is no key here"
    if detail["type"] == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    if detail["loc"][:1] == ("kafka",):  # what is there may be a secret
        return detail["msg"]
    return f"{detail['msg']}, and is {detail['input']!r}"


def _called(place: Sequence[str | int], document: Mapping[str, Any]) -> str:
    """A place in the file as people call it: the trigger by its name, the key with its meaning."""
    match place:
        case []:
            return "the file"
        case ["trigger", int(index), *keys]:
            owner = f"trigger {_name(document, index)}"
        case [first, *keys]:
            owner, keys = (f"[{first}]", keys) if keys else ("", [first])
    key = ".".join(str(part) for part in keys)
    meaning = MEANING.get(str(keys[-1])) if keys else None
    return ": ".join(filter(None, (owner, f"{key} ({meaning})" if meaning else key)))


def _name(document: Mapping[str, Any], index: int) -> str:
    match document["trigger"][index]:
        case {"name": str(name)}:
            return repr(name)
    return f"number {index + 1}"
