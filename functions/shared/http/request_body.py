"""Request bodies: read and unpacked within a limit, which bounds their memory and time as well."""

import zlib
from collections.abc import Iterable

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from functions.shared.errors import InvalidInput
from functions.shared.http.problems import Problem
from functions.shared.http.routing import header

# Each member is a stream of its own (RFC 1952, 2.2), and what follows it is copied once.
MEMBER_LIMIT = 64
GZIP = 31  # zlib's number for the largest window within a gzip header

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


async def read_json(request: Request, *, limit: int) -> bytes:
    """The JSON that a request brings, without a byte order mark.

    Raises:
        Problem: 413 or 415, as `require_json` and `read_body`.
        InvalidInput: it is UTF-16, or not gzip though it says so.
    """
    require_json(request)
    body = await read_body(request, limit=limit)
    if body.startswith(UTF_16_MARKS):
        raise InvalidInput({"body": ["is UTF-16; JSON is sent as UTF-8"]})
    return body.removeprefix(BYTE_ORDER_MARK)


async def read_body(request: Request, *, limit: int) -> bytes:
    """The body of a request, unpacked if it is gzipped; of at most `limit` bytes before and after.

    Raises:
        Problem: 413 when it is larger, as soon as that is known; 415 for another content coding.
        InvalidInput: it is not gzip though it says so.
    """
    announced, codings = b"", []
    for name, value in request.scope["headers"]:
        if name == b"content-length":
            announced = value
        elif name == b"content-encoding":
            codings.append(value)
    if announced.isdigit() and int(announced[:20]) > limit:
        raise too_large(limit)
    is_gzipped = bool(codings) and _is_gzipped(codings)
    body = await _received(request, limit)
    return gunzip(body, limit) if is_gzipped else body


def gunzip(packed: bytes, limit: int) -> bytes:
    """What was gzipped, of which never more than `limit` bytes are unpacked.

    Raises:
        Problem: 413 when there is more of it.
        InvalidInput: it is not gzip.
    """
    unpacked = bytearray()
    for _ in range(MEMBER_LIMIT):
        member = zlib.decompressobj(GZIP)
        try:
            unpacked += member.decompress(packed, limit + 1 - len(unpacked))
        except zlib.error:
            raise InvalidInput({"body": ["is not gzip, as its Content-Encoding says"]}) from None
        if len(unpacked) > limit:
            raise too_large(limit)
        if not member.eof:
            raise InvalidInput({"body": ["ends before its gzip does"]})
        packed = member.unused_data
        if not packed:
            return bytes(unpacked)
    raise InvalidInput({"body": [f"must be one gzip stream, or up to {MEMBER_LIMIT} in a row"]})


def too_large(limit: int) -> Problem:
    """The body exceeds what is taken."""
    return Problem(413, f"The body is larger than {limit} bytes.")


def require_json(request: Request) -> None:
    """Refuse a body that does not call itself JSON.

    Raises:
        Problem: 415, with what is accepted.
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
    """Whether the lines of Content-Encoding say gzip, and not that there is no coding.

    Raises:
        Problem: 415 for any other coding, or several, with those that are taken.
    """
    named = (coding.strip().lower() for coding in b",".join(values).split(b","))
    codings = [coding for coding in named if coding not in (b"", b"identity")]
    if codings and codings not in ([b"gzip"], [b"x-gzip"]):
        raise Problem(
            415,
            "Send the body as it is, or with Content-Encoding: gzip.",
            headers={"Accept-Encoding": "gzip, identity"},
        )
    return bool(codings)


async def _received(request: Request, limit: int) -> bytes:
    message = await _next(request)
    if not message.get("more_body", False):  # nearly every event
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise too_large(limit)
        return body
    pieces = bytearray()  # a list of tiny pieces would be many times as large as the body
    while True:
        pieces += message.get("body", b"")
        if len(pieces) > limit:
            raise too_large(limit)
        if not message.get("more_body", False):
            return bytes(pieces)
        message = await _next(request)


async def _next(request: Request) -> Message:
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message
