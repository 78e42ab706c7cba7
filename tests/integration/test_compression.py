"""Answers that the gateway of the stack compresses, and their entity tags."""

import httpx
import pytest

from local.stack.stack import Stack
from tests.support.builders.events import event_json
from tests.support.drivers.table import Table
from tests.support.waiting import eventually

GOALS = 10
ZSTANDARD = b"\x28\xb5\x2f\xfd"  # its first bytes; httpx decompresses only gzip


@pytest.fixture(name="page")
def _page(stack: Stack, table: Table, http: httpx.Client) -> str:
    """The URL of a page of READY highlights, which change no more."""
    goals = [event_json(eventId=f"goal-{number}") for number in range(GOALS)]
    assert http.post(f"{stack.events_url}/events/batch", json=goals).status_code == 202
    eventually(lambda: table.statuses() == {"READY": GOALS})
    return f"{stack.highlights_url}/highlights?pageSize={GOALS}"


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_list_is_compressed_and_a_matching_entity_tag_is_a_304(
    page: str, http: httpx.Client, coding: str
) -> None:
    """Whether a client, or a proxy before it, has made the tag weak, or adds other tags."""
    plain = http.get(page, headers={"Accept-Encoding": "identity"})
    small = http.get(page, headers={"Accept-Encoding": coding})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == coding
    assert plain.headers["vary"] == small.headers["vary"] == "Accept-Encoding"
    assert small.num_bytes_downloaded < plain.num_bytes_downloaded / 2
    assert small.content == plain.content or small.content.startswith(ZSTANDARD)
    tag = small.headers["etag"]
    assert tag == plain.headers["etag"][:-1] + f'-{coding}"'
    for accepted in (coding, "identity", "gzip, zstd"):
        for named in (tag, f"W/{tag}", f'"other", {tag}', plain.headers["etag"]):
            asked = {"Accept-Encoding": accepted, "If-None-Match": named}
            again = http.get(page, headers=asked)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["vary"] == "Accept-Encoding"


def test_the_headers_of_a_head_are_those_of_a_get(page: str, http: httpx.Client) -> None:
    """But for the length, which nobody knows before it is compressed."""
    headers = {"Accept-Encoding": "gzip"}
    got, head = (http.request(method, page, headers=headers) for method in ("GET", "HEAD"))
    for name in ("content-encoding", "content-type", "etag", "vary", "cache-control"):
        assert head.headers[name] == got.headers[name]


def test_what_fits_one_packet_is_not_compressed(page: str, http: httpx.Client) -> None:
    """A highlight; its entity tag is as the function has made it."""
    one = http.get(page).json()[0]["id"]
    url = page.replace("?pageSize=", f"/{one}?x=")
    answers = [http.get(url, headers={"Accept-Encoding": each}) for each in ("gzip", "identity")]
    assert [each.headers.get("content-encoding") for each in answers] == [None, None]
    assert answers[0].headers["etag"] == answers[1].headers["etag"]
