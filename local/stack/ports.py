"""Ports on the loopback addresses."""

import os
import random
import socket
from collections.abc import Collection, Mapping
from contextlib import closing

from local.stack import StackError

HOST = "127.0.0.1"
HOST_IPV6 = "::1"  # to which many programs resolve `localhost` first
# Below the ephemeral ports: an outgoing connection might take the port of a process that is being
# restarted.
RANGE, DEFAULT_RANGE = "GOALSTREAM_PORT_RANGE", "10000-32000"
ATTEMPTS = 100

_chosen: set[int] = set()


def hosts() -> tuple[str, ...]:
    """Return the loopback addresses of this machine, which may have no IPv6."""
    return (HOST, HOST_IPV6) if _can_bind(HOST_IPV6, 0) else (HOST,)


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port now, on each loopback address.

    Raises:
        PermissionError: this user may not listen on it.
    """
    return all(_can_bind(host, port) for host in hosts())


def _can_bind(host: str, port: int) -> bool:
    try:
        with closing(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)) as probe:
            # As servers do, so that a connection in TIME_WAIT does not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except PermissionError:
        raise
    except OSError:
        return False
    return True


def free_port() -> int:
    """Return a port that nothing listens on, in RANGE, a different one each time.

    Raises:
        StackError: there is none.
    """
    ports = os.environ.get(RANGE, DEFAULT_RANGE)
    first, last = map(int, ports.split("-"))
    for _ in range(ATTEMPTS):
        port = random.randint(first, last)  # noqa: S311 - not a secret
        if port not in _chosen and is_free(port):
            _chosen.add(port)
            return port
    raise StackError(f"no port of {ports} is free")


def preferred_port(port: int, but: Collection[int] = ()) -> int:
    """Return the port if it is free and not in `but`, or else any free one.

    Raises:
        StackError: there is none.
    """
    return port if port not in but and is_free(port) else free_port()


def claim(port: int, variable: str) -> int:
    """Return the port if it is free; for 0 return any free one.

    Raises:
        StackError: it is taken, or this user may not listen on it; names the variable to change.
    """
    try:
        free = port == 0 or is_free(port)
    except PermissionError:
        raise StackError(f"port {port} needs more rights; set {variable} to another") from None
    except OverflowError:
        raise StackError(f"{variable}: there is no port {port}") from None
    if not free:
        raise StackError(f"port {port} is taken; set {variable} to another")
    return port or free_port()


def require_distinct(ports: Mapping[str, int]) -> None:
    """Check that no two variables have the same port, apart from 0, any free one.

    Raises:
        StackError: two do; names both.
    """
    named: dict[int, str] = {}
    for variable, port in ports.items():
        if port and port in named:
            raise StackError(f"{named[port]} and {variable} are both {port}; set one to another")
        named[port] = variable
