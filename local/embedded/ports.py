"""Ports on the loopback address."""

import random
import socket
from contextlib import closing

from local.embedded.error import StackError

HOST = "127.0.0.1"
# Below what systems give to outgoing connections, one of which might otherwise sit on the port
# of a process that is being started again.
FIRST, LAST = 10_000, 32_000
ATTEMPTS = 100

_given: set[int] = set()


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now.

    Raises:
        PermissionError: this user may not listen on it.
    """
    with closing(socket.socket()) as probe:
        # As servers do: a connection that was just closed does not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
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


def accepts(port: int) -> bool:
    """Whether something listens on the port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
