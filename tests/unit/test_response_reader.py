"""The parser of HTTP responses."""

import pytest
from httptools import HttpParserError

from local.kafka_trigger.delivering.response_reader import MAX_BODY_BYTES, ResponseReader

HEAD = b"HTTP/1.1 200 OK\r\n"


def read(*pieces: bytes) -> ResponseReader:
    """A reader that was fed these pieces."""
    reader = ResponseReader()
    for piece in pieces:
        reader.feed(piece)
    return reader


def parsed(reader: ResponseReader) -> tuple[int, bytes, str | None]:
    """Return the status, body and Retry-After of a complete response."""
    assert reader.is_complete
    return reader.status, reader.body, reader.retry_after


@pytest.mark.parametrize(
    "response",
    [
        HEAD + b"Content-Length: 4\r\nRetry-After: 7\r\n\r\nbody",
        HEAD
        + b"Transfer-Encoding: chunked\r\nretry-after: 7\r\n\r\n1\r\nb\r\n3\r\nody\r\n0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_response_may_arrive_in_pieces(response: bytes, size: int) -> None:
    """In one piece or byte by byte; of known length or in chunks."""
    reader = read(*(response[at : at + size] for at in range(0, len(response), size)))
    assert parsed(reader) == (200, b"body", "7")
    assert reader.keeps_alive


def test_a_response_without_a_length_ends_with_its_connection() -> None:
    """As servers of HTTP/1.0 send it."""
    reader = read(b"HTTP/1.0 200 OK\r\n\r\n", b"bo", b"dy")
    assert not reader.is_complete
    assert reader.close()
    assert parsed(reader) == (200, b"body", None)
    assert not reader.keeps_alive


@pytest.mark.parametrize(
    "half",
    [
        b"",
        HEAD,
        HEAD + b"Content-Length: 4\r\n\r\nbod",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nbod\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
    ],
)
def test_an_incomplete_response_is_not_complete_at_its_connection_s_end(half: bytes) -> None:
    """Wherever it stops."""
    reader = read(*([half] if half else []))
    assert not reader.close()
    assert reader.has_begun == bool(half)


def test_interim_responses_are_ignored() -> None:
    """A server may send any number of 1xx."""
    early = b"HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n"
    reader = read(b"HTTP/1.1 100 Continue\r\n\r\n" + early, b"HTTP/1.1 204 No Content\r\n\r\n")
    assert parsed(reader) == (204, b"", None)


def test_data_after_the_response_ends_the_connection() -> None:
    """Otherwise it would be read as the response to the next request."""
    one = HEAD + b"Content-Length: 1\r\n\r\n1"
    reader = read(one + one)
    assert parsed(reader) == (200, b"1", None)
    assert not reader.keeps_alive


@pytest.mark.parametrize("nonsense", [b"hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00\xff"])
def test_data_that_is_not_http_is_rejected(nonsense: bytes) -> None:
    """Whatever server listens there."""
    with pytest.raises(HttpParserError):
        read(nonsense)


def test_an_endless_response_is_rejected() -> None:
    """The trigger's memory is bounded."""
    mebibytes = [bytes(2**20)] * (MAX_BODY_BYTES // 2**20)
    reader = read(HEAD + b"\r\n", *mebibytes)
    with pytest.raises(HttpParserError):
        reader.feed(b"x")
