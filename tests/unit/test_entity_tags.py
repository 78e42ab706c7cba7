"""If-None-Match: whether the reader holds what an entity tag names."""

import pytest
from starlette.requests import Request

from functions.shared.http.routing import etag_of, json_with_etag, matches_etag

BODY = b"[]"
TAG = etag_of(BODY)
OPENED = TAG[:-1]


def asked(*lines: str) -> Request:
    """Return a request with these lines of If-None-Match."""
    headers = [(b"if-none-match", line.encode("latin-1")) for line in lines]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    "lines",
    [
        [TAG],
        [f"W/{TAG}"],
        [f' "other" , {TAG}'],
        ["*"],
        [" * "],
        ['"other"', TAG],
        [TAG, '"other"'],
        ['"a", "b"', f'"c", W/{TAG}'],
        [f'{OPENED}-gzip"'],
        [f'W/{OPENED}-gzip"'],
        [f'{OPENED}--gzip"'],
        [f'{OPENED};gzip"'],
        [f'{OPENED}-br"'],
        [f'{OPENED}-zstd"'],
        [f'"other", {OPENED}-br"'],
        [",".join(['"other"'] * 10_000), TAG],
    ],
)
def test_a_reader_who_holds_it_gets_a_304(lines: list[str]) -> None:
    """In one line or several, weak, or with what a proxy that packs has added."""
    answer = json_with_etag(asked(*lines), BODY, link="<?cursor=x>; rel=next")
    assert (answer.status_code, answer.body) == (304, b"")
    assert (answer.headers["etag"], answer.headers["link"]) == (TAG, "<?cursor=x>; rel=next")


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [""],
        ['"other"'],
        [TAG[1:-1]],
        [f'{OPENED}x"'],
        [f'{OPENED}-"'],
        [f"{OPENED}-gzip"],
        [f'{OPENED}-gzip-br"'],
        [f'"x{TAG[1:]}'],
        ["*", '"other"'],
        ["é"],
    ],
)
def test_a_reader_who_does_not_gets_it(lines: list[str]) -> None:
    """Whatever else the header says."""
    assert not matches_etag(asked(*lines), TAG)
    assert json_with_etag(asked(*lines), BODY).body == BODY + b"\n"
