"""Requests that are answered before their bodies have been read."""

from collections.abc import Iterator

from tests.integration.framing.inputs import FIRST, TAIL, Input, Maker
from tests.support.length import IS_LONG

# Below and above what Go reads on after an answer, 256 KiB, and what a socket buffers.
SIZES = (1, 1000, 5 * 65536, 2 * 1024 * 1024) if IS_LONG else (1000, 5 * 65536)


def early_answers(maker: Maker) -> Iterator[Input]:
    """Return requests that are answered early, whose bodies contain requests."""
    for early in maker.target.early:
        for size in SIZES:
            name = f"early: {early.method.decode()} {early.path.decode()} {early.status}, {size}"
            lines = maker.target.headers(FIRST, early.content_type, key=early.key)
            yield from _sized(maker, name, early.method, early.path, lines, size, early.status)
    limit = maker.target.limit
    if limit:
        lines = maker.target.headers(FIRST)
        for size in (limit + 1, limit + 5 * 65536 + 1):
            method, path = maker.target.method, maker.target.path
            yield from _sized(maker, f"too large: {size}", method, path, lines, size, (413,))


def _sized(
    maker: Maker, name: str, method: bytes, path: bytes, lines: list[bytes], size: int,
    status: tuple[int, ...],
) -> Iterator[Input]:  # fmt: skip
    if maker.target.is_gateway:
        status = (*status, 413)  # before it asks a function
    body = (TAIL * (size // len(TAIL) + 1))[-size:]
    request = b"\r\n".join([b"%s %s HTTP/1.1" % (method, path), *lines, b""])
    length = b"Content-Length: %d\r\n\r\n" % size
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    yield Input(f"{name}, a length", request + length + body, status, closes=True)
    end = b"\r\n0\r\n\r\n"
    one = b"%x\r\n" % size + body + end
    # One byte too many in a chunk is reported once all is read.
    yield Input(
        f"{name}, one chunk", request + chunked + one, status, closes=size != maker.target.limit + 1
    )
    broken = b"1\r\n \r\n" + body
    yield Input(f"{name}, no chunks", request + chunked + broken, (*status, 400), closes=True)
