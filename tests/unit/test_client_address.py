"""The client's address, as trusted proxies forward it and as others would forge it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from functions.shared.http.client_address import MAX_HOPS, TrustedProxies, parse_address
from functions.shared.http.settings import AccessSettings
from functions.shared.settings.errors import SettingsError
from functions.shared.settings.load import load

PEER = "192.0.2.1"
CALLER = "198.51.100.7"
PROXIES = "10.0.0.0/8 192.0.2.200 fd00::/8"


def proxies(trusted: str = PROXIES) -> TrustedProxies:
    """Return the proxies that TRUSTED_PROXIES names."""
    return TrustedProxies(load(AccessSettings, {"TRUSTED_PROXIES": trusted}).trusted_proxies)


def request(*lines: str, peer: str | None = PEER) -> Request:
    """Return a request with these lines of X-Forwarded-For."""
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    return Request({"type": "http", "headers": headers, "client": peer and (peer, 1)})


@pytest.mark.parametrize(
    ("lines", "peer", "expected"),
    [
        ([], PEER, PEER),
        ([], None, ""),
        ([""], PEER, PEER),
        ([CALLER], PEER, CALLER),
        ([f"203.0.113.1, {CALLER}"], PEER, CALLER),
        (["203.0.113.1", CALLER], PEER, CALLER),
        ([f"{CALLER}, "], PEER, CALLER),
        ([f"10.0.0.9, {CALLER}"], PEER, CALLER),
    ],
)
@pytest.mark.parametrize("trusted", ["", PROXIES])
def test_the_address_is_the_one_that_the_gateway_appended(
    lines: list[str], peer: str | None, expected: str, trusted: str
) -> None:
    """Not what a client wrote before it, to seem another client with every request."""
    assert proxies(trusted).client_address(request(*lines, peer=peer)) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([f"{CALLER}, 10.0.0.9"], CALLER),
        ([f"{CALLER}, 10.0.0.9, 192.0.2.200, fd00::1"], CALLER),
        ([CALLER, "10.0.0.9"], CALLER),
        ([f"203.0.113.1, {CALLER}, 10.0.0.9"], CALLER),
        (["10.0.0.7, 10.0.0.9"], "10.0.0.7"),
        (["10.0.0.9"], "10.0.0.9"),
    ],
)
def test_an_address_that_a_trusted_proxy_appended_is_used(lines: list[str], expected: str) -> None:
    """The right-most that is not trusted counts; if all are, the left-most."""
    assert proxies().client_address(request(*lines)) == expected


def test_a_proxy_that_is_not_trusted_is_the_client() -> None:
    """Whatever addresses it forwards."""
    assert proxies("").client_address(request(f"{CALLER}, 10.0.0.9")) == "10.0.0.9"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (f"{CALLER}:4711", CALLER),
        (f'"{CALLER}:4711"', CALLER),
        (f"::ffff:{CALLER}", CALLER),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:4711", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_address_is_recognised_in_every_notation(entry: str, expected: str) -> None:
    """Without its port; an IPv6 address counts as its /64, all of which one client has."""
    assert proxies().client_address(request(f"203.0.113.1, {entry}")) == expected
    assert proxies().client_address(request(f"203.0.113.1, {entry}, 10.0.0.9")) == expected


@pytest.mark.parametrize(
    "entry", ["unknown", "_hidden", "1.2.3", "1.2.3.4.5", "x" * 5_000, "::g", "é", "1" * 64]
)
def test_an_entry_that_is_no_address_counts_as_its_sender(entry: str) -> None:
    """Or a client could seem as many clients as there are words."""
    assert proxies().client_address(request(f"{CALLER}, {entry}, 10.0.0.9")) == "10.0.0.9"
    assert proxies("").client_address(request(f"{CALLER}, {entry}")) == PEER


def test_a_long_chain_is_read_up_to_a_limit() -> None:
    """Entries before that many trusted proxies are ignored."""
    chain = ", ".join([CALLER, *["10.0.0.9"] * 50_000])
    assert proxies().client_address(request(chain)) == "10.0.0.9"
    assert (
        proxies().client_address(request(", ".join([CALLER, *["10.0.0.9"] * (MAX_HOPS - 1)])))
        == CALLER
    )


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=4))
def test_any_header_yields_an_address(lines: list[str]) -> None:
    """No header is an error."""
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in lines]
    incoming = Request({"type": "http", "headers": headers, "client": (PEER, 1)})
    assert parse_address(proxies().client_address(incoming).removesuffix("/64"))


@pytest.mark.parametrize("wrong", ["10.0.0.0/33", "proxy.example", "10.0.0.1,10.0.0.2", "10.0.0."])
def test_an_invalid_range_of_addresses_stops_the_start(wrong: str) -> None:
    """With a message of what it has to be."""
    with pytest.raises(SettingsError, match=r"TRUSTED_PROXIES is wrong: must be addresses"):
        proxies(wrong)
