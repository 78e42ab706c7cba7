"""Requests with ambiguous framing headers."""

from collections.abc import Iterator

from tests.integration.framing.inputs import GARBAGE, TAIL, Input, Maker


def lengths(maker: Maker) -> Iterator[Input]:
    """Return requests with invalid or several Content-Length headers."""
    rest = maker.target.body + TAIL
    size = b"%d" % len(maker.target.body)
    full_size = b"%d" % len(rest)
    odd = {
        "twice": (b"Content-Length: " + size, b"Content-Length: " + full_size),
        "twice, the other way": (b"Content-Length: " + full_size, b"Content-Length: " + size),
        "a list": (b"Content-Length: " + size + b", " + full_size,),
        "a plus": (b"Content-Length: +" + size,),
        "a minus": (b"Content-Length: -" + size,),
        "hexadecimal": (b"Content-Length: 0x10",),
        "a fraction": (b"Content-Length: " + size + b".0",),
        "two words": (b"Content-Length: 1 " + size,),
        "an exponent": (b"Content-Length: 1e1",),
        "no digit": (b"Content-Length: five",),
        "65 bits": (b"Content-Length: 18446744073709551617",),
        "a vertical tab": (b"Content-Length: \x0b" + size,),
        "a NUL": (b"Content-Length: " + size + b"\x00",),
        "underscores": (b"Content-Length: 1_0",),
        "Arabic digits": (b"Content-Length: \xd9\xa1\xd9\xa0",),
    }
    for name, lines in odd.items():
        yield Input(f"length: {name}", maker.head(*lines) + rest, (400,))
    loose = {
        "empty": (b"Content-Length:",),
        "twice the same": (b"Content-Length: " + full_size, b"Content-Length: " + full_size),
        "space before the colon": (b"Content-Length : " + full_size,),
        "folded": (b"Content-Length:", b" " + full_size),
        "with an underscore": (b"Content_Length: " + full_size,),
        "after a bare LF": (b"X-A: 1\nContent-Length: " + full_size,),
    }
    for name, lines in loose.items():
        yield Input(f"length: {name}", maker.head(*lines) + rest.replace(TAIL, GARBAGE))


def encodings(maker: Maker) -> Iterator[Input]:
    """Return requests whose chunks end before the tail, and their Content-Length after it."""
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(maker.target.body), maker.target.body) + TAIL
    length = b"Content-Length: %d" % len(chunks)
    chunked = b"Transfer-Encoding: chunked"
    both = {
        "length and chunks": (length, chunked),
        "chunks and length": (chunked, length),
        "chunks and no length": (chunked, b"Content-Length: 0"),
        "twice and length": (chunked, chunked, length),
        "chunked, chunked": (b"Transfer-Encoding: chunked, chunked", length),
        "identity": (b"Transfer-Encoding: identity", length),
        "identity and chunks": (b"Transfer-Encoding: identity", chunked, length),
        "gzip, chunked": (b"Transfer-Encoding: gzip, chunked", length),
        "chunked, gzip": (b"Transfer-Encoding: chunked, gzip", length),
        "another": (b"Transfer-Encoding: xchunked", length),
        "in quotes": (b'Transfer-Encoding: "chunked"', length),
        "upper case": (b"Transfer-Encoding: CHUNKED", length),
        "a tab": (b"Transfer-Encoding:\tchunked", length),
        "a vertical tab": (b"Transfer-Encoding: \x0bchunked", length),
        "a NUL": (b"Transfer-Encoding: chunked\x00", length),
        "space before the colon": (b"Transfer-Encoding : chunked", length),
        "tab before the colon": (b"Transfer-Encoding\t: chunked", length),
        "folded": (b"Transfer-Encoding:", b" chunked", length),
        "space before the name": (length, b" Transfer-Encoding: chunked"),
        "after a bare CR": (b"X-A: 1\rTransfer-Encoding: chunked", length),
        "after a bare LF": (b"X-A: 1\nTransfer-Encoding: chunked", length),
        "a parameter": (b"Transfer-Encoding: chunked;q=1", length),
        "empty": (b"Transfer-Encoding:", length),
        "a comma": (b"Transfer-Encoding: ,chunked", length),
    }
    for name, lines in both.items():
        yield Input(f"encoding: {name}", maker.head(*lines) + chunks)
    old = maker.head(chunked, length, version=b"1.0") + chunks
    yield Input("encoding: HTTP/1.0", old)


def heads(maker: Maker) -> Iterator[Input]:
    """Return requests with unusual or invalid request lines and header fields."""
    size = b"Content-Length: %d" % len(TAIL)
    lines = {
        "no colon": b"no colon",
        "no name": b": 1",
        "a NUL": b"X-A: \x00",
        "a bare CR": b"X-A: 1\r2",
        "a space in a name": b"X A: 1",
        "another host": b"Host: y",
        "a folded line": b"X-A: 1\r\n 2",
        "a space before": b" X-A: 1",
        "a tab before": b"\tX-A: 1",
        "bytes beyond ASCII": b"X-\xe4: \xff",
        "an upgrade": b"Connection: Upgrade\r\nUpgrade: websocket",
        "an upgrade to HTTP/2": b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AA",
        "a connection's option": b"Connection: close, content-length",
        "a length as an option": b"Connection: Content-Length",
        "20 KB": b"X-A: " + b"a" * 20_000,
        "200 KB": b"X-A: " + b"a" * 200_000,
        "2 MB": b"X-A: " + b"a" * 2_000_000,
        "a thousand": b"\r\n".join(b"X-%d: 1" % index for index in range(1500)),
    }
    for name, line in lines.items():
        yield Input(f"header: {name}", maker.head(line, size) + TAIL)
    lf = maker.head(size).replace(b"\r\n", b"\n")
    yield Input("header: LF alone", lf + TAIL)
    for method in (b"CONNECT", b"TRACE", b"get", b"G\x00T", b"PRI", b"X" * 40, b""):
        request = maker.head(size).replace(maker.target.method, method, 1)
        yield Input(f"method: {method!r}", request + TAIL)
    for version in (b"0.9", b"1.2", b"2.0", b"1.1 x", b"", b"11", b"1.1\t"):
        yield Input(f"version: {version!r}", maker.head(size, version=version) + TAIL)
    for path in (
        b"http://y/health",
        b"*",
        b"//",
        b"/a b",
        b"/\xff",
        b"",
        b"y:80",
        b"/%00",
        b"/a\tb",
    ):
        request = maker.head(size).replace(maker.target.path, path, 1)
        yield Input(f"path: {path!r}", request + TAIL)
    yield Input("nothing but a tail of garbage", GARBAGE)
