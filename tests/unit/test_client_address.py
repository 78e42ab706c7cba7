"""The address that a request came from, as proxies tell it and as strangers would have it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from functions.shared.http.client_address import LINKS, ClientAddress, parse_address
from functions.shared.http.settings import AccessSettings
from functions.shared.settings.errors import SettingsError
from functions.shared.settings.load import load

PEER = "192.0.2.1"
CALLER = "198.51.100.7"
PROXIES = "10.0.0.0/8 192.0.2.200 fd00::/8"


def addresses(trusted: str = PROXIES) -> ClientAddress:
    """Return what finds addresses, with these proxies before the gateway."""
    return ClientAddress(load(AccessSettings, {"TRUSTED_PROXIES": trusted}).trusted_proxies)


def request(*lines: str, peer: str | None = PEER) -> Request:
    """Return a request with these lines of X-Forwarded-For."""
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    return Request({"type": "http", "headers": headers, "client": peer and (peer, 1)})


@pytest.mark.parametrize(
    ("lines", "peer", "told"),
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
def test_it_is_what_the_gateway_wrote_last(
    lines: list[str], peer: str | None, told: str, trusted: str
) -> None:
    """Not what a caller wrote before it, to be somebody else with every request."""
    assert addresses(trusted).of(request(*lines, peer=peer)) == told


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([f"{CALLER}, 10.0.0.9"], CALLER),
        ([f"{CALLER}, 10.0.0.9, 192.0.2.200, fd00::1"], CALLER),
        ([CALLER, "10.0.0.9"], CALLER),
        ([f"203.0.113.1, {CALLER}, 10.0.0.9"], CALLER),
        (["10.0.0.7, 10.0.0.9"], "10.0.0.7"),
        (["10.0.0.9"], "10.0.0.9"),
    ],
)
def test_a_trusted_proxy_tells_whom_it_answers(lines: list[str], told: str) -> None:
    """Who is the right-most that is not trusted; if all are, the first of them."""
    assert addresses().of(request(*lines)) == told


def test_a_proxy_that_is_not_trusted_is_the_caller() -> None:
    """Whatever it says of others."""
    assert addresses("").of(request(f"{CALLER}, 10.0.0.9")) == "10.0.0.9"


@pytest.mark.parametrize(
    ("entry", "told"),
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
def test_an_address_counts_however_it_is_written(entry: str, told: str) -> None:
    """Without its port; of IPv6 the /64, which one caller has as a whole."""
    assert addresses().of(request(f"203.0.113.1, {entry}")) == told
    assert addresses().of(request(f"203.0.113.1, {entry}, 10.0.0.9")) == told


@pytest.mark.parametrize(
    "entry", ["unknown", "_hidden", "1.2.3", "1.2.3.4.5", "x" * 5_000, "::g", "é", "1" * 64]
)
def test_what_is_no_address_counts_as_who_passed_it_on(entry: str) -> None:
    """Or one caller could be as many as there are words."""
    assert addresses().of(request(f"{CALLER}, {entry}, 10.0.0.9")) == "10.0.0.9"
    assert addresses("").of(request(f"{CALLER}, {entry}")) == PEER


def test_a_chain_without_an_end_is_not_followed() -> None:
    """What stands before so many proxies that are trusted is nobody's word."""
    chain = ", ".join([CALLER, *["10.0.0.9"] * 50_000])
    assert addresses().of(request(chain)) == "10.0.0.9"
    assert addresses().of(request(", ".join([CALLER, *["10.0.0.9"] * (LINKS - 1)]))) == CALLER


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=4))
def test_whatever_is_forwarded_an_answer_is_an_address_or_the_peer(lines: list[str]) -> None:
    """Nothing in a header is an error."""
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in lines]
    asked = Request({"type": "http", "headers": headers, "client": (PEER, 1)})
    assert parse_address(addresses().of(asked).removesuffix("/64"))


@pytest.mark.parametrize("wrong", ["10.0.0.0/33", "proxy.example", "10.0.0.1,10.0.0.2", "10.0.0."])
def test_a_range_that_is_none_stops_the_start(wrong: str) -> None:
    """With what it has to be."""
    with pytest.raises(SettingsError, match=r"TRUSTED_PROXIES is wrong: must be addresses"):
        addresses(wrong)
