"""Requests whose bodies end too early, too late, or never."""

from collections.abc import Iterator

from tests.integration.framing.inputs import GARBAGE, TAIL, Input, Maker


def well_formed(maker: Maker) -> Iterator[Input]:
    """Return valid bodies."""
    body, size = maker.target.body, len(maker.target.body)
    reads = maker.target.reads
    # Go takes no empty lines before a request, and the gateway ends a connection after chunks.
    keeps_odd = reads and not maker.target.is_gateway
    one = b"%x\r\n%s\r\n0\r\n\r\n" % (size, body)
    bytewise = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    yield Input("a length", maker.length(size) + body, keeps=reads)
    yield Input(
        "a length in HTTP/1.0", maker.head(b"Content-Length: %d" % size, version=b"1.0") + body
    )
    yield Input("one chunk", maker.chunked(one), keeps=keeps_odd)
    yield Input("a chunk a byte", maker.chunked(bytewise), keeps=keeps_odd)
    yield Input(
        "upper case", maker.chunked(one.upper() if body.isspace() else one), keeps=keeps_odd
    )
    yield Input("zeros before a size", maker.chunked(b"0000" + one), keeps=keeps_odd)
    yield Input(
        "an extension", maker.chunked(one.replace(b"\r\n", b";a=b\r\n", 1)), keeps=keeps_odd
    )
    yield Input("empty lines before", b"\r\n\r\n" + maker.length(size) + body, keeps=keeps_odd)
    yield Input("two bodies", (maker.length(size) + body) * 2)
    yield Input("a tail of garbage", maker.length(size) + body + GARBAGE)
    yield Input("an early tail", maker.length(size) + body + b"0\r\n\r\n")


def chunks(maker: Maker) -> Iterator[Input]:
    """Return bodies with invalid chunks, and valid ones that look invalid."""
    body, size = maker.target.body, b"%x" % len(maker.target.body)
    wrong = {
        "XX for CRLF": size + b"\r\n" + body + b"XX",
        "LF after data": size + b"\r\n" + body + b"\n0\r\n\r\n",
        "longer than said": b"%x\r\n" % (len(body) - 1) + body + b"\r\n0\r\n\r\n",
        "no size": b"\r\n" + body + b"\r\n0\r\n\r\n",
        "a size that is none": size + b"\r\n" + body + b"\r\nzz\r\n",
        "negative": b"-" + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
        "plus": b"+" + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
        "0x": b"0x" + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
        "underscore": b"0_" + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
        "68 bits": b"f" * 17 + b"\r\n" + body,
        "CR alone": size + b"\r" + body + b"\r\n0\r\n\r\n",
        "LF alone": size + b"\n" + body + b"\n0\n\n",
        "CR in an extension": size + b";a\rb\r\n" + body + b"\r\n0\r\n\r\n",
        "NUL after a size": size + b"\x00\r\n" + body + b"\r\n0\r\n\r\n",
    }
    for name, chunks in wrong.items():
        yield Input(f"chunk: {name}", maker.chunked(chunks + TAIL), (400,))
    loose = {
        "LF in an extension": size + b";a\nb\r\n" + body + b"\r\n0\r\n\r\n",
        "space after a size": size + b" \r\n" + body + b"\r\n0\r\n\r\n",
        "space before a size": b" " + size + b"\r\n" + body + b"\r\n0\r\n\r\n",
        "a long extension": size + b";" + b"a" * 5000 + b"\r\n" + body + b"\r\n0\r\n\r\n",
        "many extensions": (b"1;" + b"a" * 40 + b"\r\n \r\n") * 2000 + b"0\r\n\r\n",
        "zeros for the last": size + b"\r\n" + body + b"\r\n00000\r\n\r\n",
        "an extension of the last": size + b"\r\n" + body + b"\r\n0;a=b\r\n\r\n",
    }
    for name, chunks in loose.items():
        yield Input(f"chunk: {name}", maker.chunked(chunks + GARBAGE))
    yield Input("chunk: 64 bits", maker.chunked(b"f" * 16 + b"\r\n" + body + TAIL))
    yield Input("chunk: two megabytes announced", maker.chunked(b"200000\r\n" + TAIL))


def trailers(maker: Maker) -> Iterator[Input]:
    """Return bodies with valid and invalid trailers after the last chunk."""
    end = b"%x\r\n%s\r\n0\r\n" % (len(maker.target.body), maker.target.body)
    trailers = {
        "one": b"X-T: 1\r\n\r\n",
        "a length": b"Content-Length: 5\r\n\r\n",
        "an encoding": b"Transfer-Encoding: chunked\r\n\r\n",
        "a line that is none": b"no trailer\r\n\r\n",
        "folded": b"X-T: 1\r\n 2\r\n\r\n",
        "70 KB": b"X-T: " + b"a" * 70_000 + b"\r\n\r\n",
        "a thousand": b"X-T: 1\r\n" * 1000 + b"\r\n",
        "LF alone": b"\n",
    }
    for name, trailer in trailers.items():
        yield Input(f"trailer: {name}", maker.chunked(end + trailer + GARBAGE))
    # Its end is missing: what follows is no field.
    yield Input("trailer: a request", maker.chunked(end + TAIL))


def expectations(maker: Maker) -> Iterator[Input]:
    """Return requests with `Expect: 100-continue`."""
    size, body = len(maker.target.body), maker.target.body
    expect = b"Expect: 100-continue"
    yield Input("expect: sent at once", maker.length(size, also=expect) + body)
    yield Input("expect: chunks", maker.head(b"Transfer-Encoding: chunked", expect) + b"0\r\n\r\n")
    yield Input("expect: another", maker.length(len(TAIL), also=b"Expect: 200-ok") + TAIL)
    yield Input("expect: the body is a request", maker.length(len(TAIL), also=expect) + TAIL)
    yield Input(
        "expect: too large",
        maker.length(40_000_000, also=expect) + TAIL,
        (413, 401, 404, 405, 429, 200, 503),
    )
