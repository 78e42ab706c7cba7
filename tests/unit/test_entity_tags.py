"""If-None-Match: whether the client has the content that an entity tag identifies."""

import pytest
from starlette.requests import Request

from functions.shared.http.entity_tags import etag_of, matches_etag
from functions.shared.http.responses import conditional_json_response

BODY = b"[]"
TAG = etag_of(BODY)
UNCLOSED = TAG[:-1]


def request(*lines: str) -> Request:
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
        [f'{UNCLOSED}-gzip"'],
        [f'W/{UNCLOSED}-gzip"'],
        [f'{UNCLOSED}--gzip"'],
        [f'{UNCLOSED};gzip"'],
        [f'{UNCLOSED}-br"'],
        [f'{UNCLOSED}-zstd"'],
        [f'"other", {UNCLOSED}-br"'],
        [",".join(['"other"'] * 10_000), TAG],
    ],
)
def test_a_client_with_the_content_gets_a_304(lines: list[str]) -> None:
    """In one line or several, weak, or with the suffix of a proxy that compresses."""
    response = conditional_json_response(request(*lines), BODY, link="<?cursor=x>; rel=next")
    assert (response.status_code, response.body) == (304, b"")
    assert (response.headers["etag"], response.headers["link"]) == (TAG, "<?cursor=x>; rel=next")


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [""],
        ['"other"'],
        [TAG[1:-1]],
        [f'{UNCLOSED}x"'],
        [f'{UNCLOSED}-"'],
        [f"{UNCLOSED}-gzip"],
        [f'{UNCLOSED}-gzip-br"'],
        [f'"x{TAG[1:]}'],
        ["*", '"other"'],
        ["é"],
    ],
)
def test_a_client_without_the_content_gets_it(lines: list[str]) -> None:
    """Whatever else the header contains."""
    assert not matches_etag(request(*lines), TAG)
    assert conditional_json_response(request(*lines), BODY).body == BODY + b"\n"
