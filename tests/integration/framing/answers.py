"""Parse the bytes of a connection into HTTP answers, as a client would."""

import re
from dataclasses import dataclass, field

CHUNK_END = 2


@dataclass(frozen=True)
class Answer:
    """One answer; `complete` unless the connection ended within it."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = True

    @property
    def marker(self) -> str:
        """The trace id of the request that it answers; empty if the answer has none."""
        return self.headers.get("x-correlation-id", "")

    @property
    def closes(self) -> bool:
        """Whether it announces that the connection closes."""
        return self.headers.get("connection", "").lower() == "close"


def read_answers(data: bytes) -> list[Answer]:
    """Return all final answers; raise ValueError for bytes that are no HTTP."""
    answers = []
    while data:
        answer, data = _next(data)
        if answer.status >= 200:
            answers.append(answer)
    return answers


def _next(data: bytes) -> tuple[Answer, bytes]:
    head, _, rest = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    match = re.fullmatch(r"HTTP/1\.[01] (\d{3})( .*)?", status)
    if match is None:
        raise ValueError(f"no answer begins with {data[:80]!r}")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    answer = Answer(int(match[1]), headers)
    if answer.status < 200 or answer.status in (204, 304):
        return answer, rest
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body, rest, complete = _chunks(rest)
    elif "content-length" in headers:
        size = int(headers["content-length"])
        body, rest, complete = rest[:size], rest[size:], len(rest) >= size
    else:
        body, rest, complete = rest, b"", True
    return Answer(answer.status, headers, body, complete), rest


def _chunks(data: bytes) -> tuple[bytes, bytes, bool]:
    body = b""
    while True:
        line, end, data = data.partition(b"\r\n")
        size = int(line or b"0", 16)
        if not end or len(data) < size + CHUNK_END:
            return body, b"", False
        body, data = body + data[:size], data[size + CHUNK_END :]
        if not size:
            return body, data, True
