"""The bytes of a first request, which a second one follows on the same connection."""

from dataclasses import dataclass

from tests.integration.framing.targets import Target

FIRST = f"{1:032x}"
SECOND = f"{2:032x}"
SMUGGLED = f"{3:032x}"
# A request in a body, which must never be answered.
TAIL = (
    b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n"
    b"traceparent: 00-%s-0000000000000001-01\r\n\r\n" % SMUGGLED.encode()
)
GARBAGE = b"\x16\x03\x01\x00\xffno request\r\n\r\n"


@dataclass(frozen=True)
class Input:
    """A first request.

    `status` are the answers that it may get, or any but a server's error. `keeps`: it is
    well-formed and read to its end, so that the connection serves the next request. `closes`: its
    answer says that the connection ends.
    """

    name: str
    data: bytes
    status: tuple[int, ...] = ()
    keeps: bool = False
    closes: bool = False


@dataclass(frozen=True)
class Maker:
    """Builds requests for a target."""

    target: Target

    def head(self, *lines: bytes, version: bytes = b"1.1") -> bytes:
        """Return a request header that ends with these lines."""
        request = b"%s %s HTTP/%s" % (self.target.method, self.target.path, version)
        return b"\r\n".join([request, *self.target.headers(FIRST), *lines, b"", b""])

    def chunked(self, body: bytes) -> bytes:
        """Return a request with Transfer-Encoding: chunked and this raw body."""
        return self.head(b"Transfer-Encoding: chunked") + body

    def length(self, size: int, *, also: bytes = b"X-A: 1") -> bytes:
        """Return the header of a request with this Content-Length."""
        return self.head(b"Content-Length: %d" % size, also)
