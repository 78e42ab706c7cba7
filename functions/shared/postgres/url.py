"""Parsing DATABASE_URL: `postgresql://user:password@host:port/database?sslmode=…`."""

import ssl
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from functions.shared.settings.urls import check_credentials_url

MODES = ("disable", "require", "verify-full")

# As for pg8000: False is never, None is if the server offers it, without any check.
Tls = ssl.SSLContext | Literal[False] | None


class PostgresUrl(NamedTuple):
    """The parts of a URL, and the TLS that it asks for."""

    user: str
    password: str | None
    host: str
    port: int
    database: str
    tls: Tls


def parse(url: str) -> PostgresUrl:
    """Parse a URL.

    Raises:
        ValueError: it has an unknown option or value; the message names that alone.
    """
    parts = urlsplit(url)
    return PostgresUrl(
        user=unquote(parts.username or "postgres"),
        password=unquote(parts.password) if parts.password else None,
        host=parts.hostname or "localhost",
        port=parts.port or 5432,
        database=unquote(parts.path.lstrip("/")) or "postgres",
        tls=_tls(parts.query),
    )


def check_url(url: str) -> str:
    """Return the URL itself; raises ValueError as `parse` does."""
    parse(check_credentials_url(url))
    return url


def _tls(query: str) -> Tls:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(options.keys() - {"sslmode", "sslrootcert"}):
        raise ValueError(f"{', '.join(unknown)}: only sslmode and sslrootcert are understood")
    mode, ca_file = options.get("sslmode"), options.get("sslrootcert")
    if mode not in (*MODES, None):
        raise ValueError(f"sslmode is one of {', '.join(MODES)}")
    if mode in ("disable", None):
        if ca_file:
            raise ValueError("sslrootcert is given, and no sslmode that uses it")
        return None if mode is None else False
    return _context(mode, ca_file)


@lru_cache  # the system's CA certificates take 20 ms to read
def _context(mode: str, ca_file: str | None) -> ssl.SSLContext:
    """Return libpq's: `require` checks the certificate only where there is an sslrootcert."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"sslrootcert cannot be read: {error.strerror or error}") from None
    if mode == "require":
        context.check_hostname = False
        if ca_file is None:
            context.verify_mode = ssl.CERT_NONE
    return context
