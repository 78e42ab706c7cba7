"""An HTTP answer, as its bytes come in."""

from httptools import HttpParserError, HttpResponseParser

LONGEST_BODY = 8 * 1024 * 1024  # bytes; to name 10,000 records takes one million


class ResponseReader:
    """Reads one answer; what comes after it makes the connection useless.

    `status` and `retry_after` are known with the head. What a server says before it has decided
    (100 to 199) is passed over.
    """

    def __init__(self) -> None:
        self.status = 0
        self.retry_after: str | None = None
        self.has_begun = False
        self.is_complete = False
        self.keeps_alive = False
        self._ends_with_connection = False
        self._body: list[bytes] = []
        self._length = 0
        self._parser = HttpResponseParser(self)

    @property
    def body(self) -> bytes:
        """What has come of the body."""
        return b"".join(self._body)

    def feed(self, data: bytes) -> None:
        """Read on; raises HttpParserError when that is no HTTP, or too long an answer."""
        self.has_begun = True
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            if not self.is_complete:
                raise
            self.keeps_alive = False

    def end(self) -> bool:
        """Note the connection's end; returns whether the answer is whole."""
        self.is_complete = self.is_complete or (self.status >= 200 and self._ends_with_connection)
        return self.is_complete

    # What follows is for the parser to call.

    def on_message_begin(self) -> None:
        """Forget what was said before; nothing may follow the answer."""
        if self.is_complete:
            raise HttpParserError("more than one answer")
        self.status, self.retry_after, self._ends_with_connection = 0, None, True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header, if it matters."""
        match name.lower():
            case b"content-length" | b"transfer-encoding":
                self._ends_with_connection = False
            case b"retry-after":
                self.retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Note what is known with the head."""
        self.status = self._parser.get_status_code()
        self.keeps_alive = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body."""
        self._length += len(data)
        if self._length > LONGEST_BODY:
            raise HttpParserError(f"an answer of more than {LONGEST_BODY} bytes")
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Note the end of a message."""
        self.is_complete = self.status >= 200
