"""Opening connections to Postgres."""

import socket

from pg8000.native import Connection
from pydantic import SecretStr

from functions.shared.postgres.settings import PostgresSettings
from functions.shared.postgres.url import parse


def connect(url: str, timeout_s: float, password: SecretStr | None = None) -> Connection:
    """Open a connection by `postgresql://user:password@host:port/database`.

    `password` is used with a URL that has none. `timeout_s` limits every wait on the socket, not
    only that for the connection.
    """
    address = parse(url)
    default_password = password.get_secret_value() if password else None
    connection = Connection(
        user=address.user,
        password=address.password or default_password,
        host=address.host,
        port=address.port,
        database=address.database,
        timeout=timeout_s,
        application_name="goalstream",
        ssl_context=address.tls,
    )
    # pg8000 sends more than 8 KB in pieces: the last would wait 40 ms for an acknowledgement.
    connection._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def connect_with(settings: PostgresSettings) -> Connection:
    """Open a connection with these settings."""
    return connect(settings.database_url, settings.database_timeout_s, settings.database_password)
