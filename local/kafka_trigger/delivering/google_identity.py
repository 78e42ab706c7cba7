"""Identity tokens by which Cloud Run knows which service account calls a function.

Google's metadata server hands them to whatever runs as that account:
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
from typing import Literal
from urllib.parse import quote, urlsplit

Auth = Literal["google-identity-token"]
Fetch = Callable[[str], str]

SERVER = "metadata.google.internal"
PATH = "/computeMetadata/v1/instance/service-accounts/default/identity?audience="
WITHIN_S = 3.0
RENEW_BEFORE_S = 300.0  # tokens live for an hour
LONGEST = 16 * 1024


class NoIdentity(Exception):
    """There is no token now; the message says why."""


class IdentityTokens:
    """The token for one audience, fetched when it is missing or about to expire.

    `fetch` returns a token for an audience, and raises NoIdentity. Threads may share it.
    """

    def __init__(
        self, audience: str, fetch: Fetch | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._audience = audience
        self._fetch = fetch or fetch_token
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        """A token that is valid for some minutes more.

        Raises:
            NoIdentity: none can be had.
        """
        with self._lock:
            if self._clock() >= self._renew_at:
                token = self._fetch(self._audience)
                self._renew_at = _expires_at(token) - RENEW_BEFORE_S
                self._token = token
            return self._token

    def renew(self) -> None:
        """Fetch a new one the next time: the present one was refused."""
        with self._lock:
            self._renew_at = 0.0


def tokens_for(auth: Auth | None, function: str) -> IdentityTokens | None:
    """The tokens for the function at an address, if it asks for any; never sent in the clear."""
    parts = urlsplit(function)
    return IdentityTokens(f"https://{parts.netloc}") if auth and parts.scheme == "https" else None


def fetch_token(audience: str) -> str:
    """A token of the service account as which this process runs.

    GCE_METADATA_HOST says where the metadata server is, as it does for Google's own libraries.

    Raises:
        NoIdentity: nothing answers there in time, or it has no token for us.
    """
    server = os.environ.get("GCE_METADATA_HOST") or SERVER
    with closing(HTTPConnection(server, timeout=WITHIN_S)) as connection:
        try:
            # It redirects nobody, and answers only who says that it is meant.
            connection.request(
                "GET", PATH + quote(audience, ""), headers={"Metadata-Flavor": "Google"}
            )
            answer = connection.getresponse()
            token = answer.read(LONGEST).decode("ascii").strip()
        except (OSError, HTTPException, UnicodeDecodeError) as error:
            raise NoIdentity(f"no identity token from {server}: {error!r}") from error
    if answer.status != 200:
        raise NoIdentity(f"no identity token from {server}: HTTP {answer.status}")
    return token


def _expires_at(token: str) -> float:
    """When a token expires, in seconds since the epoch."""
    try:
        claims = token.split(".")[1]
        return float(json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        raise NoIdentity("what the metadata server answers is no token") from None
