"""Who is admitted, and how many requests of one caller are."""

import math
from hashlib import sha256

import pytest
from starlette.requests import Request

from functions.shared.http.auth import ApiKeyAuth, api_key_of, build_guard
from functions.shared.http.problems import Problem
from functions.shared.http.routing import Admit
from functions.shared.http.settings import AccessSettings
from functions.shared.http.token_buckets import CALLERS, TokenBuckets
from functions.shared.settings.load import load

OLD, NEW = "the-old-key-of-the-feed", "the-new-key-of-the-feed"
KEYS = {"API_KEYS": f"{OLD},{NEW}"}
HERE, THERE = "192.0.2.1", "192.0.2.2"


class Time:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.now = 86_400.1

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def request(*headers: tuple[str, str], client: str | None = HERE) -> Request:
    """Make a request of an address, with these headers."""
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "headers": raw, "client": client and (client, 1)})


def with_key(key: str, client: str = HERE) -> Request:
    """Make a request that brings a key."""
    return request(("Authorization", f"Bearer {key}"), client=client)


def door(time: Time, **environ: str) -> Admit:
    """Make what admits requests, by these variables."""
    made = build_guard(load(AccessSettings, environ), time)
    assert made
    return made


def answer(admit: Admit, asked: Request) -> int:
    """Return the status of a refusal, or 200."""
    try:
        admit(asked)
    except Problem as problem:
        return problem.status
    return 200


def test_a_burst_passes_at_once_and_then_the_rate() -> None:
    """Three at once; after half a second at two a second there is one more, and only one."""
    time = Time()
    buckets = TokenBuckets(2, 3, time)
    assert [buckets.take("a") for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    time.now += 0.5
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0


@pytest.mark.parametrize("rate", [0.1, 0.3, 1, 3, 7, 1000])
def test_who_comes_when_told_to_is_let_in(rate: float) -> None:
    """Every time, though floats are not exact."""
    time = Time()
    buckets = TokenBuckets(rate, 1, time)
    for _ in range(100):
        assert buckets.take("a") == 0
        time.now += buckets.take("a")


def test_a_rest_fills_the_bucket_and_no_more() -> None:
    """Who was away for a day has a burst, not a day's worth."""
    time = Time()
    buckets = TokenBuckets(2, 3, time)
    buckets.take("a")
    time.now += 86_400
    assert [buckets.take("a") > 0 for _ in range(4)] == [False, False, False, True]


def test_who_asks_too_often_is_not_kept_out_for_longer() -> None:
    """What is refused costs no token."""
    time = Time()
    buckets = TokenBuckets(1, 1, time)
    buckets.take("a")
    for _ in range(10):
        time.now += 0.09
        assert buckets.take("a") > 0
    time.now += 0.1
    assert buckets.take("a") == 0


def test_callers_have_buckets_of_their_own() -> None:
    """One that is empty leaves the others full."""
    buckets = TokenBuckets(1, 1, Time())
    assert buckets.take("a") == 0
    assert buckets.take("b") == 0
    assert buckets.take("a") > 0


def test_to_look_takes_nothing() -> None:
    """And makes nobody known."""
    buckets = TokenBuckets(1, 1, Time())
    assert [buckets.wait("a") for _ in range(3)] == [0, 0, 0]
    assert len(buckets) == 0
    buckets.take("a")
    assert buckets.wait("a") == pytest.approx(1)


def test_the_memory_for_callers_is_bounded() -> None:
    """However many there are."""
    buckets = TokenBuckets(1, 1, Time())
    for caller in range(2 * CALLERS):
        buckets.take(caller)
    assert len(buckets) == CALLERS


def test_who_has_not_come_for_the_longest_is_forgotten() -> None:
    """Not who was first: a caller who keeps coming stays limited."""
    buckets = TokenBuckets(1, 1, Time(), callers=2)
    for caller in ("a", "b", "a", "c"):
        buckets.take(caller)
    assert buckets.take("a") > 0
    assert buckets.take("b") == 0


def test_access_is_open_by_default() -> None:
    """Then nothing at all is asked of a request."""
    assert build_guard(load(AccessSettings, {})) is None


@pytest.mark.parametrize("key", [OLD, NEW])
def test_each_of_the_keys_is_valid(key: str) -> None:
    """So that the new one can be handed out before the old one goes."""
    assert answer(door(Time(), **KEYS), with_key(key)) == 200


@pytest.mark.parametrize(
    "key", ["", OLD[:-1], OLD + "x", OLD.upper(), f"{OLD},{NEW}", sha256(OLD.encode()).hexdigest()]
)
def test_what_is_nearly_a_key_is_none(key: str) -> None:
    """A key is compared as a whole, letter by letter."""
    assert answer(door(Time(), **KEYS), with_key(key)) == 401


def test_a_key_that_is_taken_back_is_valid_no_more() -> None:
    """Once the function is started without it."""
    assert answer(door(Time(), API_KEYS=NEW), with_key(OLD)) == 401


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
def test_a_key_comes_in_one_of_two_headers(headers: list[tuple[str, str]], key: str) -> None:
    """A proxy's own Authorization does not hide the other."""
    assert api_key_of(request(*headers)) == key


def test_without_keys_an_address_is_a_caller() -> None:
    """By its own limit; the burst is twice the rate unless it is set."""
    admit = door(Time(), RATE_LIMIT="1")
    assert [answer(admit, request()) for _ in range(3)] == [200, 200, 429]
    assert answer(admit, request(client=THERE)) == 200


def test_a_slow_rate_lets_at_least_one_in() -> None:
    """One a minute is a burst of one, not of a thirtieth."""
    admit = door(Time(), RATE_LIMIT="0.0167")
    assert [answer(admit, request()) for _ in range(2)] == [200, 429]


def test_with_keys_a_key_is_a_caller() -> None:
    """From wherever it comes."""
    admit = door(Time(), RATE_LIMIT="1", RATE_LIMIT_BURST="1", **KEYS)
    assert answer(admit, with_key(OLD, HERE)) == 200
    assert answer(admit, with_key(OLD, THERE)) == 429
    assert answer(admit, with_key(NEW, HERE)) == 200


def test_guessing_is_slow_where_addresses_are_told_apart() -> None:
    """Over the limit a right guess looks as a wrong one does; other addresses are let in."""
    time = Time()
    limit = {"RATE_LIMIT": "1", "RATE_LIMIT_BURST": "3", "TRUSTED_PROXIES": "10.0.0.0/8"}
    admit = door(time, **limit, **KEYS)
    guesses = ["0", "1", "2", "3", OLD]
    assert [answer(admit, with_key(key)) for key in guesses] == [401, 401, 401, 429, 429]
    assert answer(admit, with_key(OLD, THERE)) == 200
    time.now += 1
    assert answer(admit, with_key(OLD)) == 200


def test_a_right_key_is_not_refused_for_the_wrong_ones_of_its_address() -> None:
    """Unless TRUSTED_PROXIES is set, the address may be that of a proxy that all come through."""
    admit = door(Time(), RATE_LIMIT="1", RATE_LIMIT_BURST="3", **KEYS)
    guesses = [answer(admit, with_key(str(guess))) for guess in range(5)]
    assert guesses == [401, 401, 401, 429, 429]
    rightly = [answer(admit, with_key(OLD)) for _ in range(4)]
    assert rightly == [200, 200, 200, 429]  # by its own limit
    assert answer(admit, with_key(NEW)) == 200


def test_without_a_limit_nobody_is_sent_away_for_long() -> None:
    """Wrong keys are refused one by one."""
    admit = door(Time(), **KEYS)
    assert {answer(admit, with_key("wrong")) for _ in range(100)} == {401}
    assert answer(admit, with_key(OLD)) == 200


@pytest.mark.parametrize(("rate", "seconds"), [("1", 1), ("1000", 1), ("0.3", 4), ("0.1", 10)])
def test_retry_after_is_in_whole_seconds(rate: str, seconds: int) -> None:
    """Never too few, and never none."""
    admit = door(Time(), RATE_LIMIT=rate, RATE_LIMIT_BURST="1")
    admit(request())
    with pytest.raises(Problem) as refused:
        admit(request())
    assert refused.value.headers == {
        "Retry-After": str(seconds),
        "RateLimit-Policy": f'"caller";q=1;w={seconds}',
        "RateLimit": f'"caller";r=0;t={seconds}',
    }
    assert math.ceil(1 / float(rate)) == seconds


def test_what_admits_holds_no_key_to_be_shown() -> None:
    """Digests do to compare with."""
    held = vars(ApiKeyAuth(load(AccessSettings, KEYS), None))
    assert OLD not in str(held)
    assert OLD.encode() not in held["_digests"]
