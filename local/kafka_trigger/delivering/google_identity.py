"""Identity tokens, by which Cloud Run knows the service account that calls a function.

Google's metadata server issues them to any process that runs as that account:
https://cloud.google.com/run/docs/authenticating/service-to-service
"""

import json
import os
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote, urlsplit

from local.kafka_trigger.config.models import Auth

FetchToken = Callable[[str], str]

SERVER = "metadata.google.internal"
PATH = "/computeMetadata/v1/instance/service-accounts/default/identity?audience="
TIMEOUT_S = 3.0
RENEW_BEFORE_S = 300.0  # tokens live for an hour
MAX_BYTES = 16 * 1024


class NoIdentity(Exception):
    """No token can be obtained; the message says why."""


class IdentityTokens:
    """The token for one audience, fetched when it is missing or about to expire.

    `fetch` returns a token for an audience, or raises NoIdentity. Threads may share it.
    """

    def __init__(
        self, audience: str, fetch: FetchToken | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._audience = audience
        self._fetch = fetch or fetch_token
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        """Return a token that is valid for some minutes more; raises NoIdentity."""
        with self._lock:
            if self._clock() >= self._renew_at:
                token = self._fetch(self._audience)
                self._renew_at = _expires_at(token) - RENEW_BEFORE_S
                self._token = token
            return self._token

    def renew(self) -> None:
        """Have the next call of `token` fetch a new one: the present one was rejected."""
        with self._lock:
            self._renew_at = 0.0


def tokens_for(auth: Auth | None, function: str) -> IdentityTokens | None:
    """Return the tokens for a function's URL if `auth` asks for them; none are sent without TLS."""
    parts = urlsplit(function)
    return IdentityTokens(f"https://{parts.netloc}") if auth and parts.scheme == "https" else None


def fetch_token(audience: str) -> str:
    """Return a token of the service account that this process runs as.

    GCE_METADATA_HOST is the metadata server's address, as for Google's own libraries. Raises
    NoIdentity when the server does not answer in time, or has no token for us.
    """
    server = os.environ.get("GCE_METADATA_HOST") or SERVER
    with closing(HTTPConnection(server, timeout=TIMEOUT_S)) as connection:
        try:
            # It does not redirect, and answers only requests with this header.
            connection.request(
                "GET", PATH + quote(audience, ""), headers={"Metadata-Flavor": "Google"}
            )
            response = connection.getresponse()
            token = response.read(MAX_BYTES).decode("ascii").strip()
        except (OSError, HTTPException, UnicodeDecodeError) as error:
            raise NoIdentity(f"no identity token from {server}: {error!r}") from error
    if response.status != 200:
        raise NoIdentity(f"no identity token from {server}: HTTP {response.status}")
    return token


def _expires_at(token: str) -> float:
    """The Unix time when a token expires."""
    try:
        claims = token.split(".")[1]
        return float(json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        raise NoIdentity("what the metadata server answers is no token") from None
