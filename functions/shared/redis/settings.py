"""The settings of Redis."""

from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from functions.shared.settings.base import Seconds, Settings
from functions.shared.settings.urls import check_credentials_url


def _check_url(url: str) -> str:
    ca_file = dict(parse_qsl(urlsplit(check_credentials_url(url)).query)).get("ssl_ca_certs")
    if ca_file and not Path(ca_file).is_file():
        raise ValueError("ssl_ca_certs names no file")
    return url


class RedisSettings(Settings):
    """Where Redis is, and how long its connections and pages last; without a URL, no cache.

    The password is used with a URL that has none.
    """

    redis_url: (
        Annotated[str, StringConstraints(pattern="^(rediss?|unix)://"), AfterValidator(_check_url)]
        | None
    ) = Field(None, repr=False)
    redis_password: SecretStr | None = None
    redis_timeout_s: Seconds = 0.05
    redis_max_idle_s: Seconds = 60.0
    redis_max_age_s: Seconds = 60.0
    cache_ttl_s: Annotated[int, Field(ge=1, le=10)] = 2  # a change waits as long, within a lease
