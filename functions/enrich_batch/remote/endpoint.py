"""POST of JSON to an endpoint: bounded in time and bytes, and its key is shown nowhere."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx
import orjson

from functions.enrich_batch.enricher import EnricherUnavailable, EnrichmentRefused
from functions.enrich_batch.remote.retry_after import retry_after_s
from functions.shared.settings.base import Settings
from functions.shared.settings.load import reload_if_changed

MAX_BYTES: Final = 64 * 1024
MAX_CONNECTIONS: Final = 64
# These are about the request, and another one may be accepted; all others are about the endpoint.
REFUSES_REQUEST: Final = frozenset({400, 404, 413, 415, 422, 501})
REFUSES_FACTS: Final = frozenset({400, 413, 415, 422})
KEY_REFUSED: Final = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a success, and the index of the document that it answers."""

    body: bytes
    index: int


class EndpointKey:
    """The key of an endpoint, from a setting; one from a file or a store of secrets is renewed."""

    def __init__(self, settings: Settings, field: str) -> None:
        self._settings = settings
        self._field = field

    @property
    def value(self) -> str:
        """The key; empty if there is none."""
        key = getattr(self._settings, self._field)
        return key.get_secret_value() if key else ""

    async def renew(self, refused: str) -> bool:
        """Read the key again; return whether it is another than the one that was refused."""
        fresh = await asyncio.to_thread(reload_if_changed, self._settings, self._field)
        self._settings = fresh or self._settings
        return self.value != refused


class Endpoint:
    """Sends documents to one URL, with its key in a header, as in `Authorization: Bearer {key}`.

    No error and no log shows the key or the URL, which may hold one too.
    """

    def __init__(
        self, url: str, key: EndpointKey, header: tuple[str, str], timeout_s: float
    ) -> None:
        silence_http_logs()
        self._url = url
        self._key = key
        self._header, self._header_value = header
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # compressed, an answer could unpack to any size
                "Content-Type": "application/json",
            },
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # it keeps none
            timeout=timeout_s,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
        )

    def redact(self, text: str) -> str:
        """Return a text of the endpoint's without its key."""
        return text.replace(self._key.value, "…") if self._key.value else text

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def post(self, *documents: Mapping[str, object]) -> Answer:
        """Send the documents in turn until the endpoint accepts one; return its answer.

        Raises:
            EnricherUnavailable: there is no whole answer in time, which is that of all documents
                together, or its status is about the endpoint.
            EnrichmentRefused: it accepts none of the documents, or the answer is too large.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._first_accepted(documents)
        except (TimeoutError, httpx.TimeoutException):
            raise EnricherUnavailable("the endpoint does not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            # Its message may hold the URL.
            why = f"the endpoint gives no whole answer: {type(error).__name__}"
            raise EnricherUnavailable(why) from None

    async def _first_accepted(self, documents: tuple[Mapping[str, object], ...]) -> Answer:
        reply = _Reply(0)
        for index, document in enumerate(documents):
            reply = await self._send(orjson.dumps(document))
            if reply.body is not None:
                return Answer(reply.body, index)
            if reply.status not in REFUSES_REQUEST:
                break
        if reply.status in REFUSES_FACTS:
            raise EnrichmentRefused(f"the endpoint answers {reply.status}")
        raise EnricherUnavailable(f"the endpoint answers {reply.status}", reply.retry_after_s)

    async def _send(self, content: bytes) -> "_Reply":
        """Return the reply; if the key is refused and there is a newer one, that to the newer."""
        key = self._key.value
        reply = await self._exchange(content, key)
        if reply.status in KEY_REFUSED and await self._key.renew(key):
            reply = await self._exchange(content, self._key.value)
        return reply

    async def _exchange(self, content: bytes, key: str) -> "_Reply":
        headers = {self._header: self._header_value.format(key=key)} if key else {}
        request = self._client.build_request("POST", self._url, content=content, headers=headers)
        response = await self._client.send(request, stream=True)
        try:
            if response.is_success:
                return _Reply(response.status_code, body=await _read(response))
            wait_s = retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
            return _Reply(response.status_code, wait_s)
        finally:
            await response.aclose()


@dataclass(frozen=True, slots=True)
class _Reply:
    """The status, the seconds that the endpoint asks to wait, and the body of a success."""

    status: int
    retry_after_s: float | None = None
    body: bytes | None = None


async def _read(response: httpx.Response) -> bytes:
    """Return the body as it was sent, never unpacked; stop as soon as it is too large."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BYTES:
            raise EnrichmentRefused(f"the answer has more than {MAX_BYTES} bytes")
    return bytes(body)


def silence_http_logs() -> None:
    """Keep the HTTP client from logging URLs at INFO, and headers at DEBUG."""
    for library in ("httpx", "httpcore"):
        logging.getLogger(library).setLevel(logging.WARNING)
