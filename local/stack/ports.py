"""Ports on the loopback addresses."""

import random
import socket
from collections.abc import Collection, Mapping
from contextlib import closing

from local.stack.errors import StackError

HOST = "127.0.0.1"
HOST_IPV6 = "::1"  # where many programs look first for `localhost`
# Below what systems give to outgoing connections, one of which might otherwise sit on the port
# of a process that is being started again.
FIRST, LAST = 10_000, 32_000
ATTEMPTS = 100

_given: set[int] = set()


def hosts() -> tuple[str, ...]:
    """The loopback addresses of this machine, which may have no IPv6."""
    return (HOST, HOST_IPV6) if _can_bind(HOST_IPV6, 0) else (HOST,)


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now, on each loopback address.

    Raises:
        PermissionError: this user may not listen on it.
    """
    return all(_can_bind(host, port) for host in hosts())


def _can_bind(host: str, port: int) -> bool:
    try:
        with closing(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)) as probe:
            # As servers do: a connection that was just closed does not hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except PermissionError:
        raise
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port that nothing listens on, each time another one.

    Raises:
        StackError: there is none.
    """
    for _ in range(ATTEMPTS):
        port = random.randint(FIRST, LAST)  # noqa: S311 - nobody gains by guessing it
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise StackError(f"no port between {FIRST} and {LAST} is free")


def preferred_port(port: int, but: Collection[int] = ()) -> int:
    """The port if it is free and none of `but`, or else any free one.

    Raises:
        StackError: there is none.
    """
    return port if port not in but and is_free(port) else free_port()


def claim(port: int, variable: str) -> int:
    """The port if it is free, or any free one for 0.

    Raises:
        StackError: it is taken, or not this user's to take; names the variable that changes it.
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
    """Check that no two variables name the same port; 0, any free one, is never the same.

    Raises:
        StackError: two do; names both.
    """
    named: dict[int, str] = {}
    for variable, port in ports.items():
        if port and port in named:
            raise StackError(f"{named[port]} and {variable} are both {port}; set one to another")
        named[port] = variable


def accepts(port: int) -> bool:
    """Whether something listens on the port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
