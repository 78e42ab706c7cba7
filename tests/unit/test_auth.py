"""Authentication by API keys, and the rate limit of each caller."""

import math
from hashlib import sha256

import pytest
from starlette.requests import Request

from functions.shared.http.auth import ApiKeyAuth, api_key_of, build_guard
from functions.shared.http.problems import Problem
from functions.shared.http.routing import Guard
from functions.shared.http.settings import AccessSettings
from functions.shared.settings.load import load

OLD, NEW = "the-old-key-of-the-feed", "the-new-key-of-the-feed"
KEYS = {"API_KEYS": f"{OLD},{NEW}"}
ADDRESS, OTHER_ADDRESS = "192.0.2.1", "192.0.2.2"


class Time:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = 86_400.1

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def request(*headers: tuple[str, str], client: str | None = ADDRESS) -> Request:
    """Return a request from an address, with these headers."""
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "headers": raw, "client": client and (client, 1)})


def with_key(key: str, client: str = ADDRESS) -> Request:
    """Return a request with a key."""
    return request(("Authorization", f"Bearer {key}"), client=client)


def guard_of(time: Time, **environ: str) -> Guard:
    """Return the guard of these settings."""
    return build_guard(load(AccessSettings, environ), time)


def status(guard: Guard, incoming: Request) -> int:
    """Return the status of a refusal, or 200."""
    assert guard.admit
    try:
        guard.admit(incoming)
    except Problem as problem:
        return problem.status
    return 200


def test_access_is_open_by_default() -> None:
    """Then requests are not checked at all."""
    assert build_guard(load(AccessSettings, {})).admit is None


@pytest.mark.parametrize("key", [OLD, NEW])
def test_each_of_the_keys_is_valid(key: str) -> None:
    """So that the new key can be handed out before the old one is removed."""
    assert status(guard_of(Time(), **KEYS), with_key(key)) == 200


@pytest.mark.parametrize(
    "key", ["", OLD[:-1], OLD + "x", OLD.upper(), f"{OLD},{NEW}", sha256(OLD.encode()).hexdigest()]
)
def test_a_similar_key_is_invalid(key: str) -> None:
    """A key is compared as a whole, and its case matters."""
    assert status(guard_of(Time(), **KEYS), with_key(key)) == 401


def test_a_removed_key_is_invalid() -> None:
    """Once the function is started without it."""
    assert status(guard_of(Time(), API_KEYS=NEW), with_key(OLD)) == 401


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ([("Authorization", "Bearer k")], "k"),
        ([("Authorization", "bearer  k ")], "k"),
        ([("X-Api-Key", " k")], "k"),
        ([("Authorization", "Basic dTpw"), ("X-Api-Key", "k")], "k"),
        ([("Authorization", "Bearer k"), ("X-Api-Key", "other")], "k"),
        ([("Authorization", "k")], ""),
        ([("Authorization", "Bearer")], ""),
        ([("Authorization", "Basic dTpw")], ""),
        ([], ""),
    ],
)
def test_a_key_is_in_one_of_two_headers(headers: list[tuple[str, str]], key: str) -> None:
    """A proxy's own Authorization does not hide the other header."""
    assert api_key_of(request(*headers)) == key


def test_without_keys_each_address_has_a_limit() -> None:
    """The burst is twice the rate unless it is set."""
    guard = guard_of(Time(), RATE_LIMIT="1")
    assert [status(guard, request()) for _ in range(3)] == [200, 200, 429]
    assert status(guard, request(client=OTHER_ADDRESS)) == 200


def test_a_slow_rate_allows_a_burst_of_one() -> None:
    """One a minute is not a burst of a thirtieth."""
    guard = guard_of(Time(), RATE_LIMIT="0.0167")
    assert [status(guard, request()) for _ in range(2)] == [200, 429]


def test_with_keys_each_key_has_a_limit() -> None:
    """Whichever address it comes from."""
    guard = guard_of(Time(), RATE_LIMIT="1", RATE_LIMIT_BURST="1", **KEYS)
    assert status(guard, with_key(OLD, ADDRESS)) == 200
    assert status(guard, with_key(OLD, OTHER_ADDRESS)) == 429
    assert status(guard, with_key(NEW, ADDRESS)) == 200


def test_keys_cannot_be_guessed_quickly_where_addresses_are_distinct() -> None:
    """Over the limit a valid key is refused like a wrong one; other addresses are admitted."""
    time = Time()
    limit = {"RATE_LIMIT": "1", "RATE_LIMIT_BURST": "3", "TRUSTED_PROXIES": "10.0.0.0/8"}
    guard = guard_of(time, **limit, **KEYS)
    guesses = ["0", "1", "2", "3", OLD]
    assert [status(guard, with_key(key)) for key in guesses] == [401, 401, 401, 429, 429]
    assert status(guard, with_key(OLD, OTHER_ADDRESS)) == 200
    time.now += 1
    assert status(guard, with_key(OLD)) == 200


def test_a_valid_key_is_not_refused_for_invalid_ones_from_its_address() -> None:
    """Without TRUSTED_PROXIES the address may be that of a proxy that all callers share."""
    guard = guard_of(Time(), RATE_LIMIT="1", RATE_LIMIT_BURST="3", **KEYS)
    guesses = [status(guard, with_key(str(guess))) for guess in range(5)]
    assert guesses == [401, 401, 401, 429, 429]
    statuses = [status(guard, with_key(OLD)) for _ in range(4)]
    assert statuses == [200, 200, 200, 429]  # by its own limit
    assert status(guard, with_key(NEW)) == 200


def test_without_a_limit_invalid_keys_have_no_consequence() -> None:
    """Each is refused alone."""
    guard = guard_of(Time(), **KEYS)
    assert {status(guard, with_key("wrong")) for _ in range(100)} == {401}
    assert status(guard, with_key(OLD)) == 200


@pytest.mark.parametrize(("rate", "seconds"), [("1", 1), ("1000", 1), ("0.3", 4), ("0.1", 10)])
def test_retry_after_is_rounded_up_to_whole_seconds(rate: str, seconds: int) -> None:
    """It is never 0."""
    guard = guard_of(Time(), RATE_LIMIT=rate, RATE_LIMIT_BURST="1")
    assert guard.admit
    guard.admit(request())
    with pytest.raises(Problem) as refused:
        guard.admit(request())
    assert refused.value.headers == {
        "Retry-After": str(seconds),
        "RateLimit-Policy": f'"caller";q=1;w={seconds}',
        "RateLimit": f'"caller";r=0;t={seconds}',
    }
    assert math.ceil(1 / float(rate)) == seconds


def test_the_guard_does_not_keep_keys_in_plain_text() -> None:
    """It compares digests."""
    attributes = vars(ApiKeyAuth(load(AccessSettings, KEYS), None))
    assert OLD not in str(attributes)
    assert OLD.encode() not in attributes["_digests"]
