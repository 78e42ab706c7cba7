"""The URL of a function."""

from urllib.parse import urlsplit

from local.process.urls import http_url, redact_query


def web_address(url: str) -> str:
    """Return the URL unchanged; raises ValueError for one that no request can be sent to."""
    if "@" in urlsplit(url).netloc:
        raise ValueError("a user and a password are not sent: they cannot be in the address")
    if not url.isascii():
        raise ValueError(f"{redact_query(url)!r} has characters that are not ASCII")
    return http_url(url)
