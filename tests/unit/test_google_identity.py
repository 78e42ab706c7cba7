"""The identity tokens that authenticate the trigger on Cloud Run."""

import json
from base64 import urlsafe_b64encode

import pytest

from local.kafka_trigger.config.load import ConfigError, parse
from local.kafka_trigger.delivering.google_identity import (
    RENEW_BEFORE_S,
    IdentityTokens,
    NoIdentity,
    tokens_for,
)
from tests.unit.test_trigger_config import KAFKA, TRIGGER

HOUR_S = 3600.0


def token_until(moment: float) -> str:
    """A token with this expiry, in Google's format."""
    claims = urlsafe_b64encode(json.dumps({"exp": moment}).encode()).decode().rstrip("=")
    return f"header.{claims}.signature"


class Clock:
    """A clock that is set by hand, and the audiences that tokens were fetched for."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.audiences: list[str] = []

    def fetch(self, audience: str) -> str:
        """Return a token that is valid for an hour."""
        self.audiences.append(audience)
        return token_until(self.now + HOUR_S)

    def tokens(self) -> IdentityTokens:
        """Tokens on this clock."""
        return IdentityTokens("https://f.run.app", self.fetch, lambda: self.now)


def test_a_token_is_reused_until_shortly_before_it_expires() -> None:
    """To fetch one for each request would take longer than the request."""
    clock = Clock()
    tokens = clock.tokens()
    first = tokens.token()
    clock.now += HOUR_S - RENEW_BEFORE_S - 1
    assert tokens.token() == first
    clock.now += 2
    assert tokens.token() != first
    assert clock.audiences == ["https://f.run.app"] * 2


def test_a_rejected_token_is_not_used_again() -> None:
    """For example when the account has just been granted the role."""
    clock = Clock()
    tokens = clock.tokens()
    tokens.token()
    tokens.renew()
    tokens.token()
    assert len(clock.audiences) == 2


@pytest.mark.parametrize(
    "response", ["", "no token", "a.b.c", "a.e30.c", "a.W10.c", "a.eyJleHAiOm51bGx9.c"]
)
def test_an_invalid_token_is_not_sent(response: str) -> None:
    """It is not kept either, and not shown in the error."""
    tokens = IdentityTokens("https://f.run.app", lambda _: response)
    with pytest.raises(NoIdentity, match="is no token"):
        tokens.token()


def test_a_token_is_for_its_function_s_host_and_never_sent_without_tls() -> None:
    """Cloud Run accepts the service's own address as the audience, without a path."""
    assert tokens_for(None, "https://f.run.app/") is None
    assert tokens_for("google-identity-token", "http://f.run.app/") is None
    tokens = tokens_for("google-identity-token", "https://f.run.app/a/b")
    assert tokens is not None
    assert tokens._audience == "https://f.run.app"


def test_tokens_are_configured_by_name_and_for_https_only() -> None:
    """An empty value means none, so that one file serves everywhere."""
    wanted = KAFKA + TRIGGER + 'auth = "${AUTH:-}"\n'
    assert parse(wanted, {}).triggers[0].auth is None
    with pytest.raises(ConfigError, match="a token is sent over https:// only"):
        parse(wanted, {"AUTH": "google-identity-token"})
    secure = wanted.replace("http://f", "https://f")
    assert parse(secure, {"AUTH": "google-identity-token"}).triggers[0].auth is not None
    with pytest.raises(ConfigError, match="auth"):
        parse(secure, {"AUTH": "password"})
