"""Parses an HTTP response while it is received."""

from httptools import HttpParserError, HttpResponseParser

MAX_BODY_BYTES = 8 * 1024 * 1024  # the names of 10,000 records take one million


class ResponseReader:
    """Parses one response; after any further data, the connection must not be used again.

    `status` and `retry_after` are known once the headers are complete. Interim responses (100 to
    199) are ignored.
    """

    def __init__(self) -> None:
        self.status = 0
        self.retry_after: str | None = None
        self.has_begun = False
        self.is_complete = False
        self.keeps_alive = False
        self._ends_at_close = False
        self._body: list[bytes] = []
        self._length = 0
        self._parser = HttpResponseParser(self)

    @property
    def body(self) -> bytes:
        """The part of the body that was received."""
        return b"".join(self._body)

    def feed(self, data: bytes) -> None:
        """Parse more data; raises HttpParserError when it is not HTTP, or the body is too long."""
        self.has_begun = True
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            if not self.is_complete:
                raise
            self.keeps_alive = False

    def close(self) -> bool:
        """Handle the connection's end; returns whether the response is complete."""
        self.is_complete = self.is_complete or (self.status >= 200 and self._ends_at_close)
        return self.is_complete

    # The parser calls the following methods.

    def on_message_begin(self) -> None:
        """Discard an interim response; nothing may follow the response itself."""
        if self.is_complete:
            raise HttpParserError("more than one answer")
        self.status, self.retry_after, self._ends_at_close = 0, None, True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header, if it is needed."""
        match name.lower():
            case b"content-length" | b"transfer-encoding":
                self._ends_at_close = False
            case b"retry-after":
                self.retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Read the status, and whether the connection can be reused."""
        self.status = self._parser.get_status_code()
        self.keeps_alive = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """Append a part of the body."""
        self._length += len(data)
        if self._length > MAX_BODY_BYTES:
            raise HttpParserError(f"an answer of more than {MAX_BODY_BYTES} bytes")
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Complete the response, unless it was an interim one."""
        self.is_complete = self.status >= 200
