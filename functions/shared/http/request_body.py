"""Request bodies: received and decompressed within a limit of size, and so of memory and time."""

import zlib
from collections.abc import Iterable

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from functions.shared.errors import InvalidInput
from functions.shared.http.headers import header
from functions.shared.http.problems import Problem

# A gzip file has one or more members (RFC 1952, 2.2); all that follows a member is copied once.
MAX_MEMBERS = 64
GZIP_WINDOW_BITS = 31  # the largest window, with a gzip header

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


async def read_json(request: Request, *, limit: int) -> bytes:
    """Return the JSON body of a request, without a byte order mark.

    Raises:
        Problem: 413 or 415, as of `require_json` and `read_body`.
        InvalidInput: it is UTF-16, or not gzip though its header says so.
    """
    require_json(request)
    body = await read_body(request, limit=limit)
    if body.startswith(UTF_16_MARKS):
        raise InvalidInput({"body": ["is UTF-16; JSON is sent as UTF-8"]})
    return body.removeprefix(BYTE_ORDER_MARK)


async def read_body(request: Request, *, limit: int) -> bytes:
    """Return the body of a request, decompressed; `limit` bytes at most before and after.

    Raises:
        Problem: 413 if it is larger, as soon as that is known; 415 for a content coding other than
            gzip.
        InvalidInput: it is not gzip though its header says so.
    """
    content_length, codings = b"", []
    for name, value in request.scope["headers"]:
        if name == b"content-length":
            content_length = value
        elif name == b"content-encoding":
            codings.append(value)
    if content_length.isdigit() and int(content_length[:20]) > limit:
        raise too_large(limit)
    is_gzipped = bool(codings) and _is_gzipped(codings)
    body = await _receive_body(request, limit)
    return gunzip(body, limit) if is_gzipped else body


def gunzip(compressed: bytes, limit: int) -> bytes:
    """Decompress gzip, never more than `limit` bytes of it.

    Raises:
        Problem: 413 if it is larger.
        InvalidInput: it is not gzip.
    """
    decompressed = bytearray()
    for _ in range(MAX_MEMBERS):
        member = zlib.decompressobj(GZIP_WINDOW_BITS)
        try:
            decompressed += member.decompress(compressed, limit + 1 - len(decompressed))
        except zlib.error:
            raise InvalidInput({"body": ["is not gzip, as its Content-Encoding says"]}) from None
        if len(decompressed) > limit:
            raise too_large(limit)
        if not member.eof:
            raise InvalidInput({"body": ["ends before its gzip does"]})
        compressed = member.unused_data
        if not compressed:
            return bytes(decompressed)
    raise InvalidInput({"body": [f"must be one gzip stream, or up to {MAX_MEMBERS} in a row"]})


def too_large(limit: int) -> Problem:
    """Return the 413 for a body of more than `limit` bytes."""
    return Problem(413, f"The body is larger than {limit} bytes.")


def require_json(request: Request) -> None:
    """Refuse a request whose Content-Type is not JSON.

    Raises:
        Problem: 415, with the type that is accepted.
    """
    content_type = header(request, b"content-type") or ""
    if content_type == "application/json":
        return
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise Problem(
            415,
            "Send JSON, with the header Content-Type: application/json.",
            headers={"Accept": "application/json"},
        )


def _is_gzipped(values: Iterable[bytes]) -> bool:
    """Return whether the lines of Content-Encoding say gzip; no coding, or identity, is not.

    Raises:
        Problem: 415 for any other coding, or several, with those that are accepted.
    """
    names = (coding.strip().lower() for coding in b",".join(values).split(b","))
    codings = [coding for coding in names if coding not in (b"", b"identity")]
    if codings and codings not in ([b"gzip"], [b"x-gzip"]):
        raise Problem(
            415,
            "Send the body as it is, or with Content-Encoding: gzip.",
            headers={"Accept-Encoding": "gzip, identity"},
        )
    return bool(codings)


async def _receive_body(request: Request, limit: int) -> bytes:
    message = await _receive(request)
    if not message.get("more_body", False):  # as of nearly every event
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise too_large(limit)
        return body
    parts = bytearray()  # a list of tiny parts would take many times as much memory
    while True:
        parts += message.get("body", b"")
        if len(parts) > limit:
            raise too_large(limit)
        if not message.get("more_body", False):
            return bytes(parts)
        message = await _receive(request)


async def _receive(request: Request) -> Message:
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message
