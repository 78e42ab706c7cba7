"""The enrichers that ask an endpoint, against one that answers well, badly, or not at all."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.enrich_batch.choice import build_endpoint
from functions.enrich_batch.enricher import (
    Draft,
    EnricherUnavailable,
    EnrichmentRefused,
    EnrichmentTask,
    Refusal,
    normalize,
)
from functions.enrich_batch.remote.build import http_enricher, openai_enricher
from functions.enrich_batch.remote.endpoint import MAX_BYTES
from functions.enrich_batch.remote.http_enricher import HttpEnricher
from functions.enrich_batch.remote.openai_enricher import OpenAIEnricher
from functions.enrich_batch.remote.settings import EnricherSettings
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.shared.contract.highlight import Facts, HighlightText
from functions.shared.settings.load import load
from tests.support.servers.function_server import FunctionServer, Reply, Request
from tests.support.servers.hostile_answers import DRESSED, SHAPES
from tests.support.servers.hostile_texts import BAD_TEXTS, OBEYED
from tests.support.servers.model_server import BEHAVIOURS, FAILURES, GOOD, ModelServer

ROOT = Path(__file__).parents[2]
CANARY = "canary-7f3a-of-the-endpoint"
TIMEOUT_S = 0.4  # of answers that never come; others have the time that a busy machine takes
NEVER = ("hang", "dribble")
GOAL = Facts(
    "goal",
    team="home",
    player="Lionel Messi",
    description="From the spot.",
    minute=23,
    home_team="Argentina",
    away_team="France",
    home_score=1,
    away_score=0,
)
TASK = EnrichmentTask(normalize(GOAL))
TEXTS = {
    "en": HighlightText(
        "Lionel Messi, goal: Argentina 1-0 France", "Lionel Messi, goal (Argentina), 23'."
    )
}
KINDS = ("http", "openai")
BuiltEnricher = HttpEnricher | OpenAIEnricher


def enricher(kind: str, url: str, **variables: str) -> BuiltEnricher:
    """Return an enricher that asks this URL."""
    names = {"http": ("ENRICHER_URL", "ENRICHER_API_KEY")}.get(
        kind, ("OPENAI_BASE_URL", "OPENAI_API_KEY")
    )
    environ = {names[0]: url, "OPENAI_MODEL": "small"}
    if f"{names[1]}_FILE" not in variables:
        environ[names[1]] = CANARY
    settings = load(EnricherSettings, {"ENRICHER": kind, **environ, **variables})
    return http_enricher(settings) if kind == "http" else openai_enricher(settings)


def enrich(asked: BuiltEnricher, *tasks: EnrichmentTask) -> list[Draft]:
    """Return the drafts for tasks, one after another."""

    async def run() -> list[Draft]:
        try:
            return [await asked.enrich(task) for task in tasks or (TASK,)]
        finally:
            await asked.close()

    return asyncio.run(run())


@contextmanager
def model_server(behaviour: str, **settings: Any) -> Iterator[ModelServer]:
    """Run an endpoint that always behaves in one way."""
    with ModelServer({behaviour: 1}, **settings) as server:
        yield server


def url_of(server: ModelServer, kind: str) -> str:
    """Return the URL for an enricher of this kind."""
    return server.url if kind == "http" else server.openai_url


def answer(**members: Any) -> Callable[[Request], Reply]:
    """Return a reply with this JSON."""
    return lambda _: Reply(body=orjson.dumps(members))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behaviour", [GOOD, *DRESSED])
def test_a_good_text_is_found_however_it_is_dressed(behaviour: str, kind: str) -> None:
    """With who wrote it, and the tokens that it took."""
    with model_server(behaviour) as server:
        (draft,) = enrich(enricher(kind, url_of(server, kind)))
    assert draft.texts == TEXTS
    assert (draft.written_by, draft.tokens) == {"http": ("http", 0)}.get(kind, ("model:small", 100))
    picture = "https://pictures.example/goal.jpg" if kind == "http" else None
    assert draft.thumbnail_url == picture


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "behaviour",
    [each for each in FAILURES if each not in ("compressed", "100 kB")],
)
def test_an_endpoint_that_is_away_is_no_fault_of_the_highlight(behaviour: str, kind: str) -> None:
    """It is told apart from a refusal, in bounded time, with when to come back."""
    variables = {"ENRICHER_TIMEOUT_S": str(TIMEOUT_S)} if behaviour in NEVER else {}
    with model_server(behaviour, retry_after_s=7) as server:
        began = time.monotonic()
        with pytest.raises(EnricherUnavailable) as away:
            enrich(enricher(kind, url_of(server, kind), **variables))
        assert time.monotonic() - began < 2.5  # the server goes on for longer
        assert {path for path, _, _ in server.requests} == {
            "/enrich" if kind == "http" else "/v1/chat/completions"
        }
    wait_s = away.value.retry_after_s
    if behaviour.startswith("429"):
        assert wait_s is not None
        assert 5 <= wait_s <= 7
    else:
        assert wait_s is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behaviour", ["compressed", "100 kB", *SHAPES])
def test_an_answer_without_a_text_is_a_refusal(behaviour: str, kind: str) -> None:
    """Too large, cut off, empty, or of another form."""
    with model_server(behaviour) as server, pytest.raises(EnrichmentRefused) as refused:
        enrich(enricher(kind, url_of(server, kind)))
    is_counted = kind == "openai" and behaviour in SHAPES and behaviour != "truncated JSON"
    assert refused.value.tokens == (100 if is_counted else 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behaviour", BAD_TEXTS)
def test_a_text_of_the_right_form_may_still_be_wrong(behaviour: str, kind: str) -> None:
    """So the endpoint of these tests does say what is wrong, and only the guard can know."""
    with model_server(behaviour) as server:
        (draft,) = enrich(enricher(kind, url_of(server, kind)))
    assert draft.texts.keys() == {"en"}
    assert draft.texts != TEXTS
    assert (draft.texts["en"].title == OBEYED) == (behaviour == "instruction obeyed")


def test_the_same_facts_meet_the_same_behaviours() -> None:
    """Whatever else is asked meanwhile: a run that failed can be repeated."""
    mix = dict.fromkeys((GOOD, "500", "empty", "refusal"), 1.0)

    def outcomes(others: int) -> list[str]:
        async def run() -> list[str]:
            asked = enricher("openai", server.openai_url)
            tasks = [EnrichmentTask(normalize(Facts("goal", minute=at))) for at in range(others)]
            running = [asyncio.ensure_future(asked.enrich(each)) for each in tasks]
            results = [
                repr((await asyncio.gather(asked.enrich(TASK), return_exceptions=True))[0])
                for _ in range(12)
            ]
            await asyncio.gather(*running, return_exceptions=True)
            await asked.close()
            return results

        with ModelServer(mix, seed=3) as server:
            return asyncio.run(run())

    assert outcomes(0) == outcomes(20)
    assert len(set(outcomes(0))) > 1


@pytest.mark.parametrize("at_once", [1, 3])
def test_the_endpoint_notices_facts_that_are_asked_for_at_once(at_once: int) -> None:
    """So a test of a worker can count on it."""

    async def run() -> None:
        asked = enricher("openai", server.openai_url)
        await asyncio.gather(*(asked.enrich(TASK) for _ in range(at_once)))
        await asked.enrich(TASK)
        await asked.close()

    with model_server(GOOD, latency_s=0.5) as server:
        asyncio.run(run())
        assert (server.overlaps > 0) == (at_once > 1)


@pytest.mark.parametrize(
    ("accepts", "formats"),
    [
        ("json_schema", ["json_schema", "json_schema"]),
        ("json_object", ["json_schema", "json_object", "json_object"]),
        (None, ["json_schema", "json_object", None, None]),
    ],
)
def test_json_is_asked_for_in_the_strictest_way_that_is_accepted(
    accepts: str | None, formats: list[str | None]
) -> None:
    """What was refused once is not tried again."""
    with model_server(GOOD, accepts=accepts) as server:
        assert [draft.texts for draft in enrich(enricher("openai", server.openai_url), TASK, TASK)]
        asked = [body.get("response_format", {}).get("type") for _, _, body in server.requests]
    assert asked == formats


def test_highlights_at_once_go_down_the_ladder_no_further_than_one() -> None:
    """The first answers come when several have been refused."""

    async def run(server: ModelServer) -> None:
        asked = enricher("openai", server.openai_url)
        await asyncio.gather(*(asked.enrich(TASK) for _ in range(5)))
        server.requests.clear()
        await asked.enrich(TASK)
        await asked.close()

    with model_server(GOOD, accepts="json_object") as server:
        asyncio.run(run(server))
        (request,) = server.requests
    assert request[2]["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, EnrichmentRefused),
        (422, EnrichmentRefused),
        (401, EnricherUnavailable),
        (403, EnricherUnavailable),
        (404, EnricherUnavailable),
        (501, EnricherUnavailable),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_address_or_key_burns_no_attempt(
    kind: str, status: int, error: type[Exception]
) -> None:
    """What the operator has to mend is not the highlight's fault; a refused request may be."""
    with FunctionServer(lambda _: Reply(status, b"secret")) as server:
        asked = enricher(kind, server.url)
        with pytest.raises(error, match=f"^the endpoint answers {status}$"):
            enrich(asked, TASK)
        is_asked_in_other_ways = kind == "openai" and status not in (401, 403)
        assert len(server.requests) == (3 if is_asked_in_other_ways else 1)


def test_a_request_that_is_refused_for_its_words_leaves_the_ladder_as_it_was() -> None:
    """Only what was accepted is remembered."""
    with FunctionServer(lambda _: Reply(400)) as server:

        async def run() -> None:
            asked = enricher("openai", server.url)
            for _ in range(2):
                with pytest.raises(EnrichmentRefused):
                    await asked.enrich(TASK)
            await asked.close()

        asyncio.run(run())
        assert len(server.requests) == 6


def test_a_request_for_a_chat_completion() -> None:
    """The variables are those that OpenAI's own client reads."""
    with model_server(GOOD) as server:
        variables = {"OPENAI_TEMPERATURE": "0.2", "OPENAI_MAX_TOKENS": "300"}
        task = EnrichmentTask(TASK.facts, ("de", "pt-BR"))
        (draft,) = enrich(enricher("openai", server.openai_url, **variables), task)
        ((path, headers, body),) = server.requests
    assert draft.texts.keys() == {"de", "pt-BR"}
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {CANARY}"
    assert body.keys() == {"model", "messages", "temperature", "max_tokens", "response_format"}
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("small", 0.2, 300)
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["system", "user", "assistant", "user"]  # with an example, in the languages
    assert json.loads(body["messages"][2]["content"]).keys() == {"de", "pt-BR"}
    schema = body["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["required"] == ["de", "pt-BR"]
    assert schema["schema"]["additionalProperties"] is False
    assert schema["schema"]["properties"]["de"] == {
        "type": "object",
        "properties": {"title": {"type": "string"}, "summary": {"type": "string"}},
        "required": ["title", "summary"],
        "additionalProperties": False,
    }


def test_a_request_to_another_endpoint() -> None:
    """The facts under the names of the event, and what is asked for."""
    refusals = (Refusal("unknown-name", "Zidane"),)
    task = EnrichmentTask(TASK.facts, ("en", "de"), "short", refusals=refusals)
    with FunctionServer(answer(success=True, title="Goal", summary="A goal.")) as server:
        enrich(enricher("http", f"{server.url}enrich?code=1"), task)
        (request,) = server.requests
    assert request.path == "/enrich?code=1"
    assert request.headers["X-Api-Key"] == CANARY
    assert orjson.loads(request.body) == {
        "eventType": "goal",
        "team": "Argentina",
        "player": "Lionel Messi",
        "minute": 23,
        "homeTeam": "Argentina",
        "awayTeam": "France",
        "homeScore": 1,
        "awayScore": 0,
        "effect": "opens",
        "languages": ["en", "de"],
        "style": "short",
        "refusals": [{"code": "unknown-name", "found": "Zidane"}],
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_description_is_sent_only_by_choice(kind: str) -> None:
    """It is a stranger's text."""
    for choice in ("false", "true"):
        with model_server(GOOD) as server:
            enrich(enricher(kind, url_of(server, kind), ENRICHER_SENDS_DESCRIPTION=choice))
            sent = str(server.requests)
        assert ("From the spot." in sent) == (choice == "true")


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_key_none_is_sent(kind: str) -> None:
    """A server on one's own machine needs none."""
    variables = {"ENRICHER_API_KEY": "", "OPENAI_API_KEY": ""}
    with model_server(GOOD) as server:
        enrich(enricher(kind, url_of(server, kind), **variables))
        ((_, headers, _),) = server.requests
    assert not {"X-Api-Key", "Authorization"} & headers.keys()


@pytest.mark.parametrize(
    ("members", "texts"),
    [
        ({"title": "A", "summary": "B"}, {"en": ("A", "B")}),
        ({"title": "A", "summary": "B", "texts": None}, {"en": ("A", "B")}),
        (
            {"title": "A", "summary": "B", "texts": {"DE": {"title": "C", "summary": "D"}}},
            {"en": ("A", "B"), "de": ("C", "D")},
        ),
        (
            {"title": "A", "summary": "B", "texts": {"en": {"title": "C", "summary": "D"}}},
            {"en": ("C", "D")},
        ),
        ({"texts": {"de": {"title": "C", "summary": "D"}, "fr": 7}}, {"de": ("C", "D")}),
    ],
)
def test_an_endpoint_may_answer_in_one_language_or_in_several(
    members: Mapping[str, Any], texts: Mapping[str, tuple[str, str]]
) -> None:
    """`title` and `summary` are of the first; a language that was not asked for is left out."""
    with FunctionServer(answer(success=True, **members)) as server:
        (draft,) = enrich(enricher("http", server.url), EnrichmentTask(TASK.facts, ("en", "de")))
    assert draft.texts == {tag: HighlightText(*text) for tag, text in texts.items()}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"success": False, "failureReason": "  No\ntext. "}, "the endpoint refuses: No text."),
        ({"success": False}, "the endpoint refuses: without a reason"),
        ({"success": False, "failureReason": 7}, "the endpoint refuses: without a reason"),
        ({"success": False, "failureReason": f"{CANARY}?"}, "the endpoint refuses: …?"),
        ({"success": False, "failureReason": "x" * 999}, f"the endpoint refuses: {'x' * 200}"),
        ({"success": True}, "the answer has no text"),
        ({"success": True, "title": "A"}, "the answer's texts are not of the agreed form"),
        (
            {"success": True, "title": "A", "summary": {}},
            "the answer's texts are not of the agreed form",
        ),
        ({"success": True, "texts": {"en": 7}}, "the answer's texts are not of the agreed form"),
        ({"success": True, "texts": []}, "the answer is not of the agreed form"),
        ({"title": "A", "summary": "B"}, "the answer is not of the agreed form"),
    ],
)
def test_a_refusal_of_another_endpoint_has_its_reason(
    members: Mapping[str, Any], reason: str
) -> None:
    """On one line of bounded length, without the key that it was sent."""
    with FunctionServer(answer(**members)) as server, pytest.raises(EnrichmentRefused) as refused:
        enrich(enricher("http", server.url))
    assert refused.value.reason == reason


def test_a_picture_of_another_scheme_is_dropped() -> None:
    """The text is used all the same."""
    bad = answer(success=True, title="A", summary="B", thumbnailUrl="javascript:alert(1)")
    with FunctionServer(bad) as server:
        (draft,) = enrich(enricher("http", server.url))
    assert draft.thumbnail_url is None
    assert draft.texts == {"en": HighlightText("A", "B")}


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_is_read_to_an_end_that_never_comes(kind: str) -> None:
    """It is read no further than the limit, whatever its length is said to be."""
    sent = 0

    def flood(listener: socket.socket) -> None:
        nonlocal sent
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            try:
                while sent < 1_000_000_000:
                    sent += connection.send(b" " * 65536)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=flood, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(EnrichmentRefused, match=f"more than {MAX_BYTES} bytes"):
            enrich(enricher(kind, url))
        thread.join()
    assert sent < 32_000_000  # the buffers of the two sockets


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_that_is_not_there(kind: str) -> None:
    """The reason does not hold the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(EnricherUnavailable, match="no whole answer: ConnectError") as away:
        enrich(enricher(kind, f"http://127.0.0.1:{port}/"))
    assert str(port) not in str(away.value)


@pytest.mark.parametrize("kind", KINDS)
def test_cookies_are_not_kept(kind: str) -> None:
    """They would grow, and tell one highlight's request from another's."""
    reply = Reply(headers={"Set-Cookie": "a=1; Path=/"})
    with FunctionServer(lambda _: reply) as server:

        async def run() -> None:
            asked = enricher(kind, server.url)
            for _ in range(2):
                with pytest.raises(EnrichmentRefused):
                    await asked.enrich(TASK)
            await asked.close()

        asyncio.run(run())
        assert len(server.requests) == 2
        assert not any("Cookie" in request.headers for request in server.requests)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_no_key_is_in_a_log_or_an_error(
    behaviour: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Even with the logs of everything, nor is the URL, whose query may hold one."""
    caplog.set_level(logging.DEBUG)
    said = ""
    with model_server(behaviour, hang_s=0.5) as server:
        url = f"{server.url}?code={CANARY}" if kind == "http" else server.openai_url
        try:
            enrich(enricher(kind, url))
        except (EnricherUnavailable, EnrichmentRefused) as error:
            said = f"{error!r} {error} {error.__cause__!r} {vars(error)}"
    assert CANARY not in said + caplog.text
    assert "/enrich" not in said + caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_key_in_its_file_is_used_when_the_old_one_is_refused(
    kind: str, tmp_path: Path
) -> None:
    """Several requests at once that are refused all go on with the new key."""
    file = tmp_path / "key"
    file.write_text("old-key")

    def reply(request: Request) -> Reply:
        given = request.headers.get("X-Api-Key") or request.headers.get("Authorization", "")
        return Reply(200 if given.endswith("new-key") else 401)

    async def run(server: FunctionServer) -> None:
        name = {"http": "ENRICHER_API_KEY_FILE"}.get(kind, "OPENAI_API_KEY_FILE")
        asked = enricher(kind, server.url, **{name: str(file)})
        with pytest.raises(EnricherUnavailable, match="401"):
            await asked.enrich(TASK)
        file.write_text("new-key")
        results = await asyncio.gather(
            *(asked.enrich(TASK) for _ in range(5)), return_exceptions=True
        )
        assert {type(each) for each in results} == {EnrichmentRefused}  # the answer was empty
        await asked.close()

    with FunctionServer(reply) as server:
        asyncio.run(run(server))


@pytest.mark.parametrize(
    ("chosen", "written_by"),
    [("http", "http"), ("openai", "model:small")],
)
def test_a_variable_chooses_who_writes(chosen: str, written_by: str) -> None:
    """With the same facts for all."""
    with model_server(GOOD) as server:
        environ = {
            "DATABASE_URL": "postgresql://",
            "ENRICHER": chosen,
            "ENRICHER_URL": server.url,
            "OPENAI_BASE_URL": server.openai_url,
            "OPENAI_MODEL": "small",
        }
        endpoint = build_endpoint(load(EnrichBatchSettings, environ))
        assert endpoint is not None
        assert isinstance(endpoint.enricher, BuiltEnricher)
        (draft,) = enrich(endpoint.enricher)
    assert draft.written_by == written_by
    assert "Messi" in draft.texts["en"].title


IMPORTED = """
import sys
from functions.enrich_batch.main import worker
worker()
print(sorted({"httpx", "httpcore", "ssl"} & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    ("variables", "is_imported"),
    [
        ({}, False),
        ({"ENRICHER": "http", "ENRICHER_URL": "http://127.0.0.1:1/"}, True),
        ({"ENRICHER": "openai", "OPENAI_MODEL": "small"}, True),
    ],
)
def test_the_http_client_is_loaded_only_where_it_is_used(
    variables: dict[str, str], is_imported: bool
) -> None:
    """A cold start with the template does not pay for it."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED],
        env={**os.environ, "DATABASE_URL": "postgresql://u@127.0.0.1:1/d", **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ("httpx" in done.stdout) == is_imported
