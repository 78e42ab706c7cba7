"""Entity tags, and the requests that are conditional on them (RFC 9110, 8.8.3 and 13.1.2)."""

from hashlib import blake2b

from starlette.requests import Request

from functions.shared.http.headers import header_lines

# A server that compresses a response adds this before the closing quote: Apache, Caddy, Jetty.
SUFFIXES = frozenset(
    f'{mark}{coding}"' for mark in ("-", "--", ";") for coding in ("gzip", "br", "zstd", "deflate")
) | {'"'}


def etag_of(content: bytes) -> str:
    """Return a strong entity tag: equal for equal bytes, in whichever process."""
    return f'"{blake2b(content, digest_size=12).hexdigest()}"'


def matches_etag(request: Request, etag: str) -> bool:
    """Return whether `If-None-Match` names this entity tag.

    A weak tag matches as well, and so does one with the suffix of a server that compresses.
    """
    lines = header_lines(request, b"if-none-match")
    if not lines:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in b",".join(lines).decode("latin-1").split(",")]
    if tags == ["*"]:
        return True
    unclosed = etag[:-1]
    return any(tag.startswith(unclosed) and tag[len(unclosed) :] in SUFFIXES for tag in tags)
