"""The address of a request's client, behind proxies that are trusted to forward it."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

from functions.shared.http.headers import header_lines

Network = IPv4Network | IPv6Network

MAX_HOPS = 32  # right-most entries of X-Forwarded-For that are read
MAX_LENGTH = 64  # characters of an address with a port
CACHE_SIZE = 4096  # addresses
IPV6_PREFIX = 64  # bits of an IPv6 address that distinguish one household or machine from another


class TrustedProxies:
    """Finds a client's address: the right-most in X-Forwarded-For that is not a trusted proxy's.

    The gateway, or a cloud's front end, appends the address of its peer, and a trusted proxy that
    of its own; anybody can write what comes before that. An IPv6 address counts as its /64, since a
    client has all of them.
    """

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self._networks = networks
        # The same clients come again and again, and parsing an address takes 3 µs.
        self._cached = lru_cache(maxsize=CACHE_SIZE)(self._parse)

    def client_address(self, request: Request) -> str:
        """Return the client's address; empty if it is unknown.

        An entry that is not an address ends the search: the client is who forwarded it.
        """
        client = self._cached(request.client.host[:MAX_LENGTH])[0] if request.client else ""
        lines = header_lines(request, b"x-forwarded-for")
        for entry in reversed(b",".join(lines).rsplit(b",", MAX_HOPS)[-MAX_HOPS:]):
            text = entry.strip()
            if not text:
                continue
            address, is_trusted = self._cached(text[: MAX_LENGTH + 1].decode("latin-1"))
            if not address:
                break
            client = address
            if not is_trusted:
                break
        return client

    def _parse(self, text: str) -> tuple[str, bool]:
        address = parse_address(text)
        if address is None:
            return "", False
        is_trusted = any(address in network for network in self._networks)
        if address.version == 4:
            return str(address), is_trusted
        return str(ip_network((address, IPV6_PREFIX), strict=False)), is_trusted


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an address as proxies write it: with a port, in brackets, or IPv4 within IPv6."""
    text = text.strip().strip('"')
    if len(text) > MAX_LENGTH:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
