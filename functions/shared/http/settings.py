"""The settings of HTTP: time limits, API keys, rate limits and trusted proxies."""

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
    """

    api_keys: Annotated[tuple[SecretStr, ...], BeforeValidator(_api_keys)] = ()
    rate_limit: Annotated[float, Field(ge=0, le=1_000_000)] = 0.0
    rate_limit_burst: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    trusted_proxies: Annotated[
        tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)
    ] = ()
