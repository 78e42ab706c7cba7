"""Checks of the HTTP URLs that configuration and command lines give."""

import re
from urllib.parse import urlsplit

NO_SPACE = re.compile(r"\S+")


def http_url(url: str) -> str:
    """Return the URL unchanged.

    Raises:
        ValueError: no request can be sent to it; the message leaves out its query.
    """
    try:
        parts = urlsplit(url)
        is_valid = bool(
            parts.scheme in {"http", "https"}
            and parts.hostname
            and parts.port != 0
            and NO_SPACE.fullmatch(url)
            and url.isprintable()
            and parts.hostname.encode("idna")
        )
    except ValueError:  # a wrong port or IPv6 address, or a label that is empty or too long
        is_valid = False
    if not is_valid:
        raise ValueError(f"{redact_query(url)!r} is no http:// or https:// address")
    return url


def redact_query(url: str) -> str:
    """Replace the query of a URL, which may hold a secret, by an ellipsis."""
    base, question_mark, _ = url.partition("?")
    return f"{base}{question_mark}…" if question_mark else base
