"""What an endpoint's answer may hold besides texts: when to come back, and a picture."""

from datetime import UTC, datetime

import pytest

from functions.enrich_batch.remote.retry_after import MAX_RETRY_AFTER_S, retry_after_s
from functions.enrich_batch.remote.texts import MAX_URL, thumbnail_url

NOW = datetime(2022, 12, 18, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("999999999", MAX_RETRY_AFTER_S),
        ("Sun, 18 Dec 2022 15:00:30 GMT", 30.0),
        ("Sunday, 18-Dec-22 15:00:30 GMT", 30.0),
        ("Sun Dec 18 15:00:30 2022", 30.0),
        ("Sun, 18 Dec 2022 16:00:30 +0100", 30.0),
        ("Sun, 18 Dec 2022 14:00:00 GMT", 0.0),
        ("Sun, 18 Dec 2033 15:00:00 GMT", MAX_RETRY_AFTER_S),
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("٣", None),
        ("1" * 400, None),
        ("Sun, 99 Dec 2022 15:00:00 GMT", None),
        ("Sun, 18 Dec 99999999999999999999 15:00:00 GMT", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    """In all three forms of a date; at most an hour, and nothing where it makes no sense."""
    assert retry_after_s(header, NOW) == seconds


@pytest.mark.parametrize(
    "url",
    [
        "https://pictures.example/goal.jpg",
        "http://127.0.0.1:8000/goal.jpg?size=1&x=%20#top",
        "https://[::1]/goal",
        "https://pictures.example",
        "https://pictures.example/" + "x" * (MAX_URL - 25),
    ],
)
def test_a_picture_has_a_url_of_the_web(url: str) -> None:
    """It is given on as it is."""
    assert thumbnail_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        ["https://pictures.example"],
        "",
        "goal.jpg",
        "//pictures.example/goal.jpg",
        "javascript:alert(1)",
        "JAVASCRIPT://x.example/%0aalert(1)",
        "data:image/png;base64,AAAA",
        "file:///etc/passwd",
        "ftp://pictures.example/goal.jpg",
        "https://",
        "https:///goal.jpg",
        "https://pictures.example@evil.example/goal.jpg",
        "https://user:word@evil.example/goal.jpg",
        "https://pictures.example/a b",
        "https://pictures.example/\n",
        "https://pictures.example/\"onerror='x'",
        "https://pictures.example/<script>",
        "https://pictures.example/\\evil",
        "https://bücher.example/goal.jpg",
        " https://pictures.example/goal.jpg",
        "https://pictures.example/" + "x" * (MAX_URL - 24),
    ],
)
def test_anything_else_is_no_picture(url: object) -> None:
    """It is dropped; the text is used all the same."""
    assert thumbnail_url(url) is None
