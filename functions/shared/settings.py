"""The one place that reads the environment: typed settings, checked at start."""

import os
from collections.abc import Mapping
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

Seconds = Annotated[float, Field(gt=0, le=3600)]
LogLevel = Annotated[str, StringConstraints(pattern="^(DEBUG|INFO|WARNING|ERROR)$")]


def _with_usable_port(url: str) -> str:
    try:
        urlsplit(url).port  # noqa: B018 - asking for it is the check
    except ValueError:
        raise ValueError("its port is no number from 0 to 65535") from None
    return url


class Settings(BaseModel):
    """What every function reads; a field's variable is its name in capitals."""

    model_config = ConfigDict(
        alias_generator=str.upper, extra="ignore", frozen=True, str_strip_whitespace=True
    )

    log_level: LogLevel = "INFO"


class KafkaSettings(Settings):
    """For functions that publish."""

    kafka_bootstrap_servers: Annotated[
        str, StringConstraints(pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$")
    ]
    publish_deadline_s: Seconds = 5.0


class PostgresSettings(Settings):
    """For functions that read or write highlights."""

    database_url: Annotated[
        str, StringConstraints(pattern=r"^postgres(ql)?://"), AfterValidator(_with_usable_port)
    ] = Field(repr=False)
    database_pool_size: Annotated[int, Field(ge=1, le=64)] = 4
    database_timeout_s: Seconds = 5.0


class RedisSettings(Settings):
    """For functions that fill or drop the cache; without a URL there is no cache."""

    redis_url: (
        Annotated[
            str, StringConstraints(pattern="^(rediss?|unix)://"), AfterValidator(_with_usable_port)
        ]
        | None
    ) = Field(None, repr=False)
    redis_timeout_s: Seconds = 0.05
    cache_ttl_s: Annotated[int, Field(ge=1, le=3600)] = 60


S = TypeVar("S", bound=Settings)


class SettingsError(SystemExit):
    """A missing or wrong variable: stops the start with a line that names it."""


def load(model: type[S], environ: Mapping[str, str] = os.environ) -> S:
    """Read `model` from the environment; an empty variable counts as unset.

    Raises:
        SettingsError: names every variable that is missing or wrong.
    """
    try:
        return model.model_validate({name: value for name, value in environ.items() if value})
    except ValidationError as error:
        wrong = [
            f"{problem['loc'][0]} is missing"
            if problem["type"] == "missing"
            else f"{problem['loc'][0]} is wrong: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("cannot start: " + "; ".join(wrong)) from None
