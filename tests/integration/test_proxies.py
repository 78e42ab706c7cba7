"""Trusted proxies before the gateway: which client address counts."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from local.stack.ports import HOST, free_port
from local.stack.services import functions, gateway
from local.stack.services.functions import Function
from local.supervisor import ProcessRegistry, Supervisor

PROXY, STRANGER = "127.0.0.1", "127.0.0.2"
KEYS = [f"the-key-of-the-reader-{n}" for n in range(3)]
WRONG = "a-wrong-key-of-someone"
BURST = 3
SETTINGS = {
    "DATABASE_URL": "postgresql://user:secret@127.0.0.1:1/goalstream",
    "API_KEYS": ",".join(KEYS),
    "RATE_LIMIT": "0.001",
    "RATE_LIMIT_BURST": str(BURST),
}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has 127.0.0.2")


@contextmanager
def running(folder: Path, trusted: str) -> Iterator[str]:
    """Run a gateway and get-highlight; return the URL of a highlight, which needs no database."""
    made = {name: Function(name, free_port()) for name in functions.NAMES}
    ports = free_port(), free_port()
    supervisor = Supervisor(folder, ProcessRegistry(folder / "processes.json"), print)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TRUSTED_PROXIES", trusted)
        try:
            supervisor.run(
                gateway.server(*ports, made, folder),
                functions.server(made["get_highlight"], SETTINGS, folder, ready_at="/health"),
                timeout_s=60,
            )
            yield f"http://{HOST}:{ports[1]}/highlights/x"
        finally:
            supervisor.stop([gateway.NAME, "get_highlight"], timeout_s=10)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL behind a gateway that trusts PROXY; each test has its own addresses and a key."""
    with running(tmp_path_factory.mktemp("trusted"), PROXY) as url:
        yield url


def statuses(url: str, key: str, forwarded: Sequence[str], peer: str = PROXY) -> list[int]:
    """Return the answers to a request for each X-Forwarded-For, from an address of this machine."""
    transport = httpx.HTTPTransport(local_address=peer)
    with httpx.Client(transport=transport, timeout=20, trust_env=False) as client:
        return [
            client.get(url, headers={"X-Api-Key": key, "X-Forwarded-For": each}).status_code
            for each in forwarded
        ]


def test_callers_behind_a_trusted_proxy_are_distinguished(url: str) -> None:
    """Only the one who guesses keys is limited, whatever precedes the proxy's own entry."""
    guesses = [f"198.51.100.{n}, 203.0.113.7" for n in range(BURST + 2)]
    assert statuses(url, WRONG, guesses) == [401] * BURST + [429, 429]
    others = ["203.0.113.8", "[2001:db8::1]:4711", "203.0.113.8:80"]
    assert statuses(url, KEYS[0], others) == [404] * BURST
    assert statuses(url, WRONG, ["203.0.113.9"]) == [401]


def test_a_right_guess_is_not_revealed(url: str) -> None:
    """An address over the limit gets no answer to it; from another address the key works."""
    statuses(url, WRONG, ["203.0.113.17"] * BURST)
    assert statuses(url, KEYS[1], ["203.0.113.17", "203.0.113.18"]) == [429, 404]


def test_addresses_of_one_ipv6_network_are_one_caller(url: str) -> None:
    """A single client may own all addresses of a /64."""
    guesses = [f"2001:db8:0:1::{n:x}" for n in range(BURST + 1)]
    assert statuses(url, WRONG, guesses) == [401] * BURST + [429]
    assert statuses(url, WRONG, ["2001:db8:0:2::1"]) == [401]


def test_an_untrusted_client_cannot_forge_an_address(url: str) -> None:
    """It can neither pretend to be many callers, nor have another one limited."""
    forged = [f"203.0.113.{n}, {PROXY}" for n in range(20, 22 + BURST)]
    assert statuses(url, WRONG, forged, STRANGER) == [401] * BURST + [429, 429]
    assert statuses(url, KEYS[2], ["203.0.113.30"], STRANGER) == [429]
    assert statuses(url, WRONG, ["203.0.113.20"]) == [401]


def test_callers_behind_an_untrusted_proxy_share_a_limit_but_valid_keys_pass(
    tmp_path: Path,
) -> None:
    """Valid keys are not refused because of others' guesses; X-Forwarded-For is ignored."""
    with running(tmp_path, "") as url:
        guesses = [f"203.0.113.{n}" for n in range(BURST + 2)]
        assert statuses(url, WRONG, guesses) == [401] * BURST + [429, 429]
        assert statuses(url, KEYS[0], ["203.0.113.1"] * BURST) == [404] * BURST
        assert statuses(url, WRONG, ["203.0.113.9"], STRANGER) == [401]
