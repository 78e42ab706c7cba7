"""The stack with several languages: from one goal to readers of each, however they ask."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from redis import Redis

from functions.shared.redis.page_cache import keys_of
from local.stack.stack import Stack, running_stack
from tests.support.builders.events import FIRST_GOAL, id_of
from tests.support.drivers.event_stream import Follower
from tests.support.drivers.stream_connection import streaming
from tests.support.drivers.table import Table
from tests.support.waiting import eventually

TAGS = ("en", "de", "ja")
NAMED = ("title", "summary")
EVENT_ID = "goal"


class Match:
    """A match of its own, with one goal that is READY."""

    def __init__(self, stack: Stack, http: httpx.Client) -> None:
        self.id = uuid4()
        self._stack = stack
        self._http = http
        self.highlight = str(id_of(self.id, EVENT_ID))
        self.post(revision=0)
        self.texts: dict[str, Any] = self.get(self.one).json()["texts"]

    @property
    def one(self) -> str:
        """The path of the highlight."""
        return f"/highlights/{self.highlight}"

    @property
    def of_match(self) -> str:
        """The path of the match's list, which is cached."""
        return f"/highlights?matchId={self.id}"

    def post(self, **fields: Any) -> None:
        """Post a revision of the goal, and wait until it is READY."""
        event = {**FIRST_GOAL, "matchId": str(self.id), "eventId": EVENT_ID, **fields}
        url = f"{self._stack.events_url}/events"
        eventually(lambda: self._http.post(url, json=event).status_code == 202)

        def is_ready() -> bool:
            found = self.get(self.one).json()
            state = found.get("revision"), found.get("status")
            return state == (event["revision"], "READY")

        eventually(is_ready)

    def get(self, path: str, accept_language: str = "") -> httpx.Response:
        """Return an answer to a reader who prefers these languages."""
        headers = {"Accept-Language": accept_language} if accept_language else {}
        return self._http.get(f"{self._stack.highlights_url}{path}", headers=headers)

    def until_cached(self) -> None:
        """Read the match's list in each language until it is cached."""

        def is_cached(tag: str) -> bool:
            return self.get(self.of_match, tag).headers["x-cache"] == "hit"

        for tag in TAGS:
            eventually(partial(is_cached, tag))

    def shown(self, path: str, accept_language: str = "") -> dict[str, Any]:
        """Return the highlight in an answer."""
        return self.found(self.get(path, accept_language))

    def found(self, answer: httpx.Response) -> dict[str, Any]:
        """Return the highlight in an answer, which may list those of other tests too."""
        assert answer.status_code == 200, answer.text
        listed = answer.json()
        documents: list[dict[str, Any]] = listed if isinstance(listed, list) else [listed]
        return next(each for each in documents if each["id"] == self.highlight)


def tells(id_: str, title: str, follower: Follower) -> bool:
    """Whether a follower was told this title of a highlight last."""
    return bool(follower.documents[id_]["title"] == title)


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack the functions of which have three languages."""
    settings = {"LANGUAGES": " ".join(TAGS), "CACHE_TTL_S": "10"}
    folder = tmp_path_factory.mktemp("translated")
    with running_stack(folder, settings=settings, environ={}) as running:
        yield running


@pytest.fixture
def match(translated: Stack) -> Iterator[Match]:
    """A match with a goal."""
    with httpx.Client(trust_env=False, timeout=20) as http:
        yield Match(translated, http)


def pages(stack: Stack, match_id: UUID) -> set[str]:
    """Return the names of a match's pages in the cache."""
    with closing(Redis.from_url(stack.redis_url, decode_responses=True)) as redis:
        return {str(name) for name in redis.hkeys(keys_of(match_id)[0])}


def test_a_goal_is_written_in_every_language_and_read_in_that_of_its_reader(match: Match) -> None:
    """By itself, in lists and in the feed; each has its entity tag, and caches know why."""
    assert match.texts.keys() == {*TAGS}
    assert len({text["title"] for text in match.texts.values()}) == len(TAGS)
    feed = f"{match.of_match}&changedSince=0"
    for path in (match.one, match.of_match, feed, "/highlights"):
        tags = set()
        lang = f"{path}{'&' if '?' in path else '?'}lang="
        for tag in TAGS:
            by_header = match.get(path, f"{tag}, *;q=0.1")
            by_parameter = match.get(lang + tag, "fr")
            for answer in (by_header, by_parameter):
                shown = match.found(answer)
                assert {name: shown[name] for name in NAMED} == match.texts[tag]
                assert shown["texts"] == match.texts
                assert answer.headers["content-language"] == tag
            assert "Accept-Language" in by_header.headers["vary"].split(", ")
            assert "Accept-Language" not in by_parameter.headers.get("vary", "")
            tags.add(by_header.headers.get("etag"))
        assert len(tags) == (1 if path == feed else len(TAGS))
        assert match.get(f"{lang}nl").json()["errors"] == {"lang": ["must be one of en, de, ja"]}
        for malformed in ("nl", "de;q=2", "--, ;", "de_DE", "x" * 2000):
            assert match.shown(path, malformed)["title"] == match.texts["en"]["title"]


def test_a_stream_is_in_the_language_of_its_client(translated: Stack, match: Match) -> None:
    """What a client has missed, and a correction that it is told of as it happens."""
    port = translated.functions["stream_highlights"].port
    query = f"?matchId={match.id}&lastEventId=0"
    with (
        streaming(port, query, **{"Accept-Language": "ja"}) as japanese,
        streaming(port, f"{query}&lang=de", **{"Accept-Language": "ja"}) as german,
    ):
        by_language = {"ja": japanese, "de": german}
        for tag, stream in by_language.items():
            assert stream.response.headers["Content-Language"] == tag
            stream.until_named("highlight")
            [document] = stream.follower.documents.values()
            assert document["title"] == match.texts[tag]["title"]
        match.post(revision=1, player="Jane Roe")
        texts = match.shown(match.one)["texts"]
        for tag, stream in by_language.items():
            title = texts[tag]["title"]
            stream.until(partial(tells, match.highlight, title))


def test_a_correction_changes_the_cached_pages_of_all_languages(
    translated: Stack, match: Match
) -> None:
    """Once a reader has seen it, no reader is shown a page of before in any language."""
    match.until_cached()
    assert pages(translated, match.id) == {f":50:{tag}" for tag in TAGS}
    match.post(revision=1, player="Jane Roe")
    texts = match.shown(match.one)["texts"]
    for tag in TAGS:
        assert "Jane Roe" in texts[tag]["title"]
        assert match.shown(match.of_match, tag)["title"] == texts[tag]["title"]


def test_readers_cannot_fill_the_cache_with_languages(translated: Stack, match: Match) -> None:
    """However they spell them: a page is cached once for each that is configured."""
    headers = ["DE", "de-AT", "de-x-1", "fr", "*", "ja-JP;q=0.1", "ja, de;q=0.3", ""]
    headers += [f"x{number}, de;q=0.{number}" for number in range(1, 10)]
    match.until_cached()
    for header in headers:
        match.get(match.of_match, header)
    for lang in ("de", "DE", "de-CH", "de-1996", "ja-Latn"):
        match.get(f"{match.of_match}&lang={lang}")
    assert pages(translated, match.id) == {f":50:{tag}" for tag in TAGS}


def test_a_text_from_before_a_language_was_added_is_in_the_first(
    translated: Stack, match: Match
) -> None:
    """`texts` tells so; Content-Language is that of the readers for whom the answer is."""
    table = Table(translated.database_url)
    table.run(
        "UPDATE highlights SET texts = (texts::jsonb - 'ja')::json WHERE match_id = :id",
        id=match.id,
    )
    for path in (match.one, f"{match.of_match}&changedSince=0"):
        answer = match.get(path, "ja")
        shown = match.shown(path, "ja")
        assert shown["title"] == match.texts["en"]["title"]
        assert "ja" not in shown["texts"]
        assert answer.headers["content-language"] == "ja"
