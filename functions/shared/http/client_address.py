"""The address that a request came from, with proxies before us that are trusted to tell it."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

from functions.shared.http.routing import header_lines

Network = IPv4Network | IPv6Network

LINKS = 32  # proxies before us at most; what stands before them is not read
LONGEST = 64  # characters of an address with a port
REMEMBERED = 4096
SUBNET = 64  # bits of an IPv6 address that tell one household or machine from others


class ClientAddress:
    """Finds the right-most address of X-Forwarded-For that is not of a trusted proxy.

    The gateway, or a cloud's front end, writes at its end whom it answers, and a trusted proxy whom
    that one answers; what stands before that anybody can write. An IPv6 address counts as its /64,
    since whoever has one has them all.
    """

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = trusted
        # The same callers come again and again, and to read an address takes 3 us.
        self._known = lru_cache(maxsize=REMEMBERED)(self._read)

    def of(self, request: Request) -> str:
        """The caller's address; empty where nobody tells it.

        What is no address ends the search: the caller is who passed it on.
        """
        caller = self._known(request.client.host[:LONGEST])[0] if request.client else ""
        lines = header_lines(request, b"x-forwarded-for")
        for link in reversed(b",".join(lines).rsplit(b",", LINKS)[-LINKS:]):
            text = link.strip()
            if not text:
                continue
            address, is_trusted = self._known(text[: LONGEST + 1].decode("latin-1"))
            if not address:
                break
            caller = address
            if not is_trusted:
                break
        return caller

    def _read(self, text: str) -> tuple[str, bool]:
        address = parse_address(text)
        if address is None:
            return "", False
        is_trusted = any(address in network for network in self._trusted)
        if address.version == 4:
            return str(address), is_trusted
        return str(ip_network((address, SUBNET), strict=False)), is_trusted


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: with a port, in brackets, or IPv4 within IPv6."""
    text = text.strip().strip('"')
    if len(text) > LONGEST:
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
