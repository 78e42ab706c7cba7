"""DATABASE_URL, taken apart: `postgresql://user:password@host:port/database?sslmode=…`."""

import ssl
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from functions.shared.settings.urls import check_credentials_url

MODES = ("disable", "require", "verify-full")

# As pg8000 takes it: False is never, None is if the server has it, and then unchecked.
Tls = ssl.SSLContext | Literal[False] | None


class PostgresUrl(NamedTuple):
    """Where Postgres is, and with which TLS it is to be reached."""

    user: str
    password: str | None
    host: str
    port: int
    database: str
    tls: Tls


def parse(url: str) -> PostgresUrl:
    """Take a URL apart.

    Raises:
        ValueError: it asks for what is not understood; says what, and nothing else of the URL.
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
    mode, authority = options.get("sslmode"), options.get("sslrootcert")
    if mode not in (*MODES, None):
        raise ValueError(f"sslmode is one of {', '.join(MODES)}")
    if mode in ("disable", None):
        if authority:
            raise ValueError("sslrootcert is given, and no sslmode that uses it")
        return None if mode is None else False
    return _context(mode, authority)


@lru_cache  # the system's own authorities take 20 ms to read
def _context(mode: str, authority: str | None) -> ssl.SSLContext:
    """As libpq: `require` checks no certificate, but for one that has to be of the authority."""
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"sslrootcert cannot be read: {error.strerror or error}") from None
    if mode == "require":
        context.check_hostname = False
        if authority is None:
            context.verify_mode = ssl.CERT_NONE
    return context
