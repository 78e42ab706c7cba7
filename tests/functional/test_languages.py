"""Title and summary in the reader's language: on each route that gives highlights."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest

from functions.consume_goal.revisions import revision_of
from functions.get_highlight.app import build_app as get_highlight
from functions.list_highlights.app import build_app as list_highlights
from functions.list_highlights.pages import PageReader
from functions.shared.contract.change_cursor import BEGINNING
from functions.shared.http.auth import build_guard
from functions.shared.http.languages import Languages
from functions.shared.http.settings import AccessSettings
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.change_feed import Change
from functions.stream_highlights.subscription import Event
from tests.functional.test_stream_highlights import Server, Viewer, run
from tests.support.builders.events import MATCH, id_of, identified
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeCache, FakeStore

TAGS = ("en", "de", "pt-BR")
TEXTS = {tag: {"title": f"title {tag}", "summary": f"summary {tag}"} for tag in TAGS}
GOAL = f"/highlights/{id_of(MATCH, 'goal-1')}"
OF_MATCH = f"/highlights?matchId={MATCH}"
each_route = pytest.mark.parametrize(
    "path", [GOAL, "/highlights", OF_MATCH, "/highlights?changedSince=0"]
)


class Reading:
    """The functions that give highlights, with one that has texts in these languages."""

    def __init__(self, *tags: str) -> None:
        self.store = FakeStore()
        self.cache = FakeCache()
        languages = Languages(tags or TAGS)
        pages = PageReader(self.store, self.cache, self.store)
        self._list = Client(list_highlights(lambda: pages, languages=languages))
        self._get = Client(get_highlight(lambda: self.store, languages=languages))
        self.write("goal-1", texts=TEXTS, enrichedBy="model:x", refused=["names"], **TEXTS["en"])

    def write(self, event_id: str, **written: Any) -> None:
        """Record a goal with these texts."""
        event = identified(eventId=event_id)
        revision = revision_of(event, ReceivedRecord(None, None, None), RULES)
        asyncio.run(self.store.record([revision]))
        self.store.rows[id_of(MATCH, event_id)] |= {"status": "READY", **written}

    def get(self, path: str, accept_language: str | None = None, **headers: str) -> httpx.Response:
        """Return an answer to a reader who prefers these languages."""
        if accept_language is not None:
            headers["Accept-Language"] = accept_language
        return self.client(path).get(path, headers=headers)

    def client(self, path: str) -> Client:
        """Return a client of the function that serves a path."""
        return self._get if path.startswith("/highlights/") else self._list


def highlight(response: httpx.Response) -> dict[str, Any]:
    """Return the one highlight of an answer."""
    assert response.status_code == 200, response.text
    found = response.json()
    only: dict[str, Any] = found[0] if isinstance(found, list) else found
    return only


def with_lang(path: str, lang: str) -> str:
    """Return a path with the parameter."""
    return f"{path}{'&' if '?' in path else '?'}lang={lang}"


@each_route
@pytest.mark.parametrize(
    ("accept_language", "tag"),
    [(None, "en"), ("de-AT,en;q=0.5", "de"), ("pt", "pt-BR"), ("en", "en"), ("nl", "en")],
)
def test_the_header_chooses(path: str, accept_language: str | None, tag: str) -> None:
    """Caches are told that it does; all texts are there too, and who wrote them."""
    response = Reading().get(path, accept_language)
    shown = highlight(response)
    assert {name: shown[name] for name in TEXTS[tag]} == TEXTS[tag]
    assert response.headers["content-language"] == tag
    assert response.headers["vary"] == "Accept-Language"
    assert (shown["texts"], shown["enrichedBy"], shown["refused"]) == (TEXTS, "model:x", ["names"])


@each_route
@pytest.mark.parametrize(("lang", "tag"), [("de", "de"), ("en", "en"), ("PT", "pt-BR")])
def test_the_parameter_goes_before_the_header(path: str, lang: str, tag: str) -> None:
    """And the answer is the same whatever the header says."""
    response = Reading().get(with_lang(path, lang), "de;q=0.5, pt-BR")
    assert highlight(response)["title"] == TEXTS[tag]["title"]
    assert response.headers["content-language"] == tag
    assert "vary" not in response.headers


@each_route
@pytest.mark.parametrize("tags", [TAGS, ("en",)], ids=["several", "one"])
def test_an_unknown_language_is_a_400(path: str, tags: tuple[str, ...]) -> None:
    """It names those that there are."""
    response = Reading(*tags).get(with_lang(path, "nl"))
    assert response.status_code == 400
    assert response.json()["errors"] == {"lang": [f"must be one of {', '.join(tags)}"]}


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("lang=", {"lang": ["must not be empty; without a value it is left out"]}),
        ("lang=de&lang=en", {"lang": ["must be given once"]}),
    ],
)
@pytest.mark.parametrize("path", [GOAL, "/highlights"])
def test_a_wrong_parameter_is_a_400(path: str, query: str, why: dict[str, list[str]]) -> None:
    """Of one highlight as of a list, before the database is asked."""
    reading = Reading()
    before = reading.store.statements
    assert reading.get(f"{path}?{query}").json()["errors"] == why
    assert reading.store.statements == before


def test_one_highlight_ignores_other_parameters() -> None:
    """Which a client may add to pass a cache by; a list refuses them, with a hint."""
    reading = Reading()
    assert highlight(reading.get(f"{GOAL}?x=1&lang=de&x=&y=%FF"))["title"] == "title de"
    refused = reading.get("/highlights?lnag=de")
    assert refused.json()["errors"] == {"lnag": ["is unknown; did you mean lang?"]}


@each_route
def test_a_highlight_without_the_language_is_shown_as_it_is(path: str) -> None:
    """One from before there were texts, and one from before there was this language."""
    for texts in (None, {"en": TEXTS["en"]}):
        reading = Reading()
        reading.write("goal-1", texts=texts, **TEXTS["en"])
        response = reading.get(path, "de")
        assert highlight(response)["title"] == "title en"
        assert highlight(response)["texts"] == texts


@each_route
@pytest.mark.parametrize("tag", ["de", "en"])
def test_a_highlight_from_when_another_language_was_first_is_shown_in_each(
    path: str, tag: str
) -> None:
    """Its title is still in that one; in the language that is first now it has a text too."""
    reading = Reading("de", "en")
    assert highlight(reading.get(path, tag))["title"] == f"title {tag}"


@pytest.mark.parametrize("path", [GOAL, "/highlights", OF_MATCH])
def test_each_language_has_an_entity_tag(path: str) -> None:
    """A 304 says to caches too that the header chooses."""
    reading = Reading()
    german, english = reading.get(path, "de"), reading.get(path, "en")
    tag = german.headers["etag"]
    assert tag != english.headers["etag"]
    again = reading.get(path, "de", **{"If-None-Match": tag})
    assert (again.status_code, again.headers["vary"]) == (304, "Accept-Language")
    other = reading.get(path, "en", **{"If-None-Match": tag})
    assert (other.status_code, other.json()) == (200, english.json())


def test_pages_are_cached_by_language() -> None:
    """However it was chosen; nobody is given another's page or links."""
    reading = Reading()
    for cache in ("miss", "hit"):
        for lang in TAGS:
            response = reading.get(OF_MATCH, lang)
            assert (highlight(response)["title"], response.headers["x-cache"]) == (
                TEXTS[lang]["title"],
                cache,
            )
            asked = reading.get(with_lang(OF_MATCH, lang), "de")
            assert (asked.content, asked.headers["x-cache"]) == (response.content, "hit")
            assert asked.headers["link"] == response.headers["link"]


@each_route
def test_readers_of_two_languages_at_once_have_each_their_own(path: str) -> None:
    """Though those of one share what is read."""
    reading = Reading()

    async def read() -> list[httpx.Response]:
        client = reading.client(path)
        return await asyncio.gather(
            *(client.send("GET", path, headers={"Accept-Language": tag}) for tag in 2 * TAGS)
        )

    titles = [highlight(response)["title"] for response in asyncio.run(read())]
    assert titles == 2 * [TEXTS[tag]["title"] for tag in TAGS]


@pytest.mark.parametrize("query", ["", f"matchId={MATCH}", "changedSince=0", "lang=de"])
def test_links_lead_on_in_the_same_language(query: str) -> None:
    """To the next page and to the changes: whoever reads on does not change the language."""
    reading = Reading()
    for number in range(3):
        reading.write(f"{number}", texts=TEXTS, **TEXTS["en"])
    response = reading.get(f"/highlights?{query}&pageSize=2", "de")
    for rel in ("next", "changes"):
        followed = urlsplit(response.links[rel]["url"]).query
        assert parse_qs(followed)["lang"] == ["de"]
        onward = reading.get(f"/highlights?{followed}", "en")
        assert {each["title"] for each in onward.json()} <= {"title de"}


def test_an_answer_that_depends_on_the_origin_too_says_both() -> None:
    """In lines of their own, which are one list (RFC 9110, 5.3)."""
    settings = AccessSettings.model_validate(
        {"CORS_ORIGINS": "https://a.example https://b.example"}
    )
    store = Reading().store
    client = Client(get_highlight(lambda: store, build_guard(settings), languages=Languages(TAGS)))
    vary = client.get(GOAL).headers["vary"].split(", ")
    assert sorted(vary) == ["Accept-Language", "Origin"]


@each_route
@pytest.mark.parametrize("lang", ["", "en"])
def test_where_there_is_one_language_nothing_changes(path: str, lang: str) -> None:
    """No answer mentions it, and readers of all languages share what is cached."""
    reading = Reading("en")
    asked = with_lang(path, lang) if lang else path
    response = reading.get(asked, "de")
    assert highlight(response)["title"] == "title en"
    assert not {"vary", "content-language"} & set(response.headers)
    assert "lang" not in reading.get(path, "de").headers.get("link", "")
    assert {name for _, name in reading.cache.pages} <= {":50"}


def document(number: int, tags: tuple[str, ...] = TAGS) -> str:
    """Return a highlight's JSON as Postgres makes it."""
    texts = {tag: {"title": f"{tag} {number}", "summary": ""} for tag in tags}
    shown = {
        "id": f"{number}", "title": f"en {number}", "summary": "", "thumbnailUrl": None,
        "texts": texts, "enrichedBy": "template",
    }  # fmt: skip
    return orjson.dumps(shown).decode()


def test_a_stream_is_in_the_language_of_its_client() -> None:
    """What it has missed, and what comes; its events have the ids that others' have."""

    async def work() -> None:
        server = Server(languages=Languages(TAGS))
        server.feed.change(1, json=document(1))
        viewers = {
            "en": Viewer(server, "lastEventId=0"),
            "de": Viewer(server, "lastEventId=0&lang=de", **{"Accept-Language": "pt"}),
            "pt-BR": Viewer(server, "lastEventId=0", **{"Accept-Language": "pt"}),
        }
        async with AsyncExitStack() as stack:
            for viewer in viewers.values():
                await stack.enter_async_context(viewer)
                await viewer.until_ready()
            server.feed.change(2, json=document(2))
            for tag, viewer in viewers.items():
                assert viewer.headers["content-language"] == tag
                await viewer.until(lambda follower: len(follower.documents) == 2)
                titles = {each["title"] for each in viewer.follower.documents.values()}
                assert titles == {f"{tag} 1", f"{tag} 2"}
        told = [
            [each.id for each in viewer.follower.events if each.name == "highlight"]
            for viewer in viewers.values()
        ]
        assert told[0] == told[1] == told[2]

    run(work)


def test_an_event_is_rendered_once_in_each_language() -> None:
    """However many clients take it."""
    change = Change(BEGINNING, MATCH, None, None, "goal", document(1))
    event = Event.of_change(change)
    german = event.text_in("de")
    assert event.text_in("de") is german
    assert event.text_in("pt-BR") != german
    assert event.text_in(None) is event.text
    ready = Event(BEGINNING, b"event: ready")
    assert ready.text_in("de") is ready.text


def test_a_stream_refuses_an_unknown_language() -> None:
    """It names those that there are, and tells HEAD the language too."""
    client = Server(languages=Languages(TAGS)).client
    refused = client.get("/highlights/stream?lang=nl")
    assert refused.json()["errors"] == {"lang": ["must be one of en, de, pt-BR"]}
    head = client.request("HEAD", "/highlights/stream?lang=pt")
    assert head.headers["content-language"] == "pt-BR"
