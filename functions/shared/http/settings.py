"""The settings of HTTP: time limits, and access by callers, pages and caches."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr

from functions.shared.settings.base import Seconds, Settings


def _api_keys(text: str) -> tuple[SecretStr, ...]:
    keys = re.findall(r"[^\s,]+", text)
    if not keys:
        raise ValueError("it holds no key")
    if not all(re.fullmatch("[!-~]{16,}", key) for key in keys):
        raise ValueError("each key needs 16 characters or more, of visible ASCII")
    return tuple(map(SecretStr, keys))


# As a browser writes the header Origin: a lower-case scheme and host, and a port that is not the
# scheme's own.
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
OWN_PORT = re.compile(r"http://.*:80|https://.*:443")


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(dict.fromkeys(text.lower().split()))
    for origin in origins:
        if origins != ("*",) and (not ORIGIN.fullmatch(origin) or OWN_PORT.fullmatch(origin)):
            raise ValueError(
                f"{origin!r} is no origin; they are as https://example.org, without a path, a slash"
                " at the end or the scheme's own port, with spaces between; * alone is any"
            )
    return origins


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(each, strict=False) for each in text.split())
    except ValueError:
        raise ValueError(
            "must be addresses or ranges, as 10.0.0.0/8, with spaces between"
        ) from None


class HttpSettings(Settings):
    """The seconds within which a request's header and body must arrive."""

    header_timeout_s: Seconds = 10.0
    body_timeout_s: Seconds = 30.0


class AccessSettings(HttpSettings):
    """Whose requests are accepted, and how many a second; for functions that people call.

    Several keys, separated by commas or white space, are valid side by side; without any, no key
    is required. A rate of 0 is no limit; the default burst is twice the rate. `trusted_proxies`
    are the addresses, or ranges of them, of proxies before the gateway or a cloud's front end.
    `cors_origins` are those whose pages may use the function, or `*`. `cache_s_maxage_s` are the
    seconds that a shared cache may keep an answer for which no key is required.
    """

    api_keys: Annotated[tuple[SecretStr, ...], BeforeValidator(_api_keys)] = ()
    rate_limit: Annotated[float, Field(ge=0, le=1_000_000)] = 0.0
    rate_limit_burst: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)
    ] = ()
    cors_origins: Annotated[tuple[str, ...], BeforeValidator(_origins)] = ()
    cache_s_maxage_s: Annotated[int, Field(ge=0, le=3600)] = 0
