"""The one place that reads the environment: typed settings, checked at start."""

import logging
import os
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Self, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.event_types import HighlightTypes
from functions.shared.kafka import client
from functions.shared.postgres import url as postgres_url
from functions.shared.settings import urls
from functions.shared.settings.secrets import (
    SecretError,
    Secrets,
    is_reference,
    process_secrets,
    read_file,
)

log = logging.getLogger(__name__)

Seconds = Annotated[float, Field(gt=0, le=3600)]
LogLevel = Annotated[str, StringConstraints(pattern="^(DEBUG|INFO|WARNING|ERROR)$")]


def _redis_url(url: str) -> str:
    authority = dict(parse_qsl(urlsplit(urls.checked(url)).query)).get("ssl_ca_certs")
    if authority and not Path(authority).is_file():
        raise ValueError("ssl_ca_certs names no file")
    return url


def _keys(text: str) -> tuple[SecretStr, ...]:
    keys = re.findall(r"[^\s,]+", text)
    if not keys:
        raise ValueError("it holds no key")
    if not all(re.fullmatch("[!-~]{16,}", key) for key in keys):
        raise ValueError("each key needs 16 characters or more, of visible ASCII")
    return tuple(map(SecretStr, keys))


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(each, strict=False) for each in text.split())
    except ValueError:
        raise ValueError(
            "must be addresses or ranges, as 10.0.0.0/8, with spaces between"
        ) from None


class Settings(BaseModel):
    """What every function reads; a field's variable is its name in capitals."""

    model_config = ConfigDict(
        alias_generator=str.upper,
        defer_build=True,
        extra="ignore",
        frozen=True,
        str_strip_whitespace=True,
    )

    log_level: LogLevel = "INFO"
    header_timeout_s: Seconds = 10.0
    body_timeout_s: Seconds = 30.0

    # The variables as they were written, for `reload_if_changed`; no part of what a repr shows.
    _written: dict[str, str] = PrivateAttr(default_factory=dict)
    _secrets: Secrets = PrivateAttr(default_factory=lambda: process_secrets)


class KafkaSettings(Settings):
    """For functions that publish: where the broker is, and how it is told who we are."""

    kafka_bootstrap_servers: Annotated[
        str, StringConstraints(pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$")
    ]
    kafka_security_protocol: client.Protocol = "PLAINTEXT"
    kafka_ssl_ca_location: str | None = None
    kafka_sasl_mechanism: client.Mechanism | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_oauth_token_url: Annotated[str, StringConstraints(pattern="^https?://")] | None = None
    kafka_oauth_client_id: str | None = None
    kafka_oauth_client_secret: SecretStr | None = Field(None, repr=False)
    kafka_oauth_scope: str | None = None
    aws_region: str | None = None
    publish_deadline_s: Seconds = 5.0

    @model_validator(mode="after")
    def _can_reach_the_broker(self) -> Self:
        if wrong := "; ".join(client.refusals(self)):
            raise ValueError(wrong)
        return self


class EventSettings(Settings):
    """For functions that take events: which of them make a highlight, and which cannot be true."""

    highlight_event_types: Annotated[str, StringConstraints(pattern=r"[^\s,]")] = (
        "goal,own_goal,penalty_goal"
    )
    max_clock_skew_s: Annotated[float, Field(ge=0, le=366 * 86_400)] = 86_400.0

    @property
    def rules(self) -> EventRules:
        """The rules for events that these settings make."""
        highlight_types = HighlightTypes.of(self.highlight_event_types)
        return EventRules(highlight_types, timedelta(seconds=self.max_clock_skew_s))


class PostgresSettings(Settings):
    """For functions that read or write highlights; the password is of a URL that has none."""

    database_url: Annotated[
        str, StringConstraints(pattern=r"^postgres(ql)?://"), AfterValidator(postgres_url.checked)
    ] = Field(repr=False)
    database_password: SecretStr | None = None
    database_pool_size: Annotated[int, Field(ge=1, le=64)] = 4
    database_prepare: bool = True
    database_max_idle_s: Seconds = 60.0
    database_timeout_s: Seconds = 5.0
    database_queue_timeout_s: Seconds = 1.0


class RedisSettings(Settings):
    """For functions that fill or drop the cache; the password is of a URL that has none.

    Without a URL there is no cache.
    """

    redis_url: (
        Annotated[str, StringConstraints(pattern="^(rediss?|unix)://"), AfterValidator(_redis_url)]
        | None
    ) = Field(None, repr=False)
    redis_password: SecretStr | None = None
    redis_timeout_s: Seconds = 0.05
    redis_max_idle_s: Seconds = 60.0
    redis_max_age_s: Seconds = 60.0
    cache_ttl_s: Annotated[int, Field(ge=1, le=10)] = 2  # a change waits as long, within a lease


class AccessSettings(Settings):
    """For functions that people call: whose requests are taken, and how many a second.

    Several keys, separated by commas or white space, are valid side by side; without any, no key
    is asked for. A rate of 0 is no limit; without a burst it is twice the rate. `trusted_proxies`
    are the addresses, or ranges of them, of proxies before the gateway or a cloud's front end.
    """

    api_keys: Annotated[tuple[SecretStr, ...], BeforeValidator(_keys)] = ()
    rate_limit: Annotated[float, Field(ge=0, le=1_000_000)] = 0.0
    rate_limit_burst: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)
    ] = ()


S = TypeVar("S", bound=Settings)


class SettingsError(SystemExit):
    """A missing or wrong variable: stops the start with a line that names it."""


def load(
    model: type[S], environ: Mapping[str, str] = os.environ, secrets: Secrets = process_secrets
) -> S:
    """Read `model` from the environment; an empty variable counts as unset.

    What `NAME` may say may stand in a file instead, whose path `NAME_FILE` says, or be kept where
    a reference says that functions/shared/settings/secrets.py knows.

    Raises:
        SettingsError: names every variable that is missing or wrong.
    """
    return _load(model, environ, secrets)


def reload_if_changed(settings: S, *fields: str) -> S | None:
    """The settings as they are now, if one of these fields has changed; for when it is refused.

    Only what was read from a file or by reference can have. Secrets that cannot be had, or do not
    fit, change nothing but the log. May take some seconds.
    """
    names = [str(type(settings).model_fields[field].alias) for field in fields]
    written = settings._written
    if not any(f"{name}_FILE" in written or is_reference(written.get(name, "")) for name in names):
        return None
    try:
        now = _load(type(settings), written, settings._secrets, anew=names)
    except SettingsError as error:  # would end the process, which may yet be served as it is
        log.error("the settings cannot be renewed: %s", str(error).removeprefix("cannot start: "))  # noqa: TRY400
        return None
    changed = any(getattr(now, field) != getattr(settings, field) for field in fields)
    return now if changed else None


def _load(
    model: type[S], environ: Mapping[str, str], secrets: Secrets, *, anew: Collection[str] = ()
) -> S:
    values, wrong = {}, {}
    names = [str(field.alias) for field in model.model_fields.values()]
    for name in names:
        try:
            value = _value(name, environ)
            values[name] = secrets.reveal(value, anew=name in anew)
        except SecretError as error:
            wrong[name] = f"{name} is wrong: {value}: {error}"
        except ValueError as error:
            wrong[name] = f"{name}_FILE is wrong: {error}"
    try:
        settings = model.model_validate({name: value for name, value in values.items() if value})
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = str(problem["loc"][0]) if problem["loc"] else ""
            wrong.setdefault(name, _explained(name, problem["type"], problem["msg"]))
    if wrong:
        raise SettingsError("cannot start: " + "; ".join(wrong.values()))
    sources = (source for name in names for source in (name, f"{name}_FILE"))
    settings._written = {source: environ[source] for source in sources if environ.get(source)}
    settings._secrets = secrets
    return settings


def _value(name: str, environ: Mapping[str, str]) -> str:
    value, path = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if not path:
        return value
    if value:
        raise ValueError(f"{name} is set too")
    return read_file(path)


def _explained(name: str, kind: str, message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not name:  # what is wrong between several variables says itself which
        return message
    return f"{name} is missing" if kind == "missing" else f"{name} is wrong: {message}"
