"""The ports of a stack."""

import json
import os
import socket
import subprocess
import sys

import pytest

from local.stack import StackError
from local.stack.addresses import Ports, choose
from local.stack.connectivity import KAFKA_PORT
from local.stack.ports import HOST, HOST_IPV6, RANGE, free_port, hosts, is_free, preferred_port
from tests.support.ports import part

needs_ipv6 = pytest.mark.skipif(HOST_IPV6 not in hosts(), reason="this machine has no IPv6")


@needs_ipv6
def test_a_port_that_is_taken_on_ipv6_alone_is_taken() -> None:
    """Otherwise another server would answer a browser at `localhost`."""
    with socket.create_server((HOST_IPV6, 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(StackError, match=f"port {port} is taken"):
            choose(Ports(events=port), {})
    assert is_free(port)


def test_the_broker_has_port_9092_if_that_is_free() -> None:
    """Otherwise another one; a port that somebody chooses must be free."""
    with socket.create_server((HOST, 0)) as other:
        taken = other.getsockname()[1]
        assert preferred_port(taken) != taken
        with pytest.raises(StackError, match="set GOALSTREAM_KAFKA_PORT to another"):
            choose(Ports(kafka=taken), {})
    assert preferred_port(taken) == taken
    assert preferred_port(taken, but=(taken,)) != taken
    wanted = KAFKA_PORT if is_free(KAFKA_PORT) else None
    chosen = choose(Ports(kafka=None), {}).kafka
    assert chosen.port == wanted or (wanted is None and chosen.port != KAFKA_PORT)
    assert chosen.url == f"{HOST}:{chosen.port}"


def test_the_port_of_the_broker_is_not_checked_where_another_broker_is_used() -> None:
    """It may well be that broker's."""
    with socket.create_server((HOST, 0)) as other:
        taken = other.getsockname()[1]
        elsewhere = {"KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{taken}"}
        assert choose(Ports(kafka=taken), elsewhere).kafka.port is None


@pytest.mark.parametrize("same", ["EVENTS HIGHLIGHTS", "EVENTS KAFKA", "HIGHLIGHTS KAFKA"])
def test_two_equal_ports_are_named(same: str) -> None:
    """Both variables, in one line."""
    port = free_port()
    events, highlights, kafka = (
        port if name in same.split() else 0 for name in ("EVENTS", "HIGHLIGHTS", "KAFKA")
    )
    one, other = (f"GOALSTREAM_{name}_PORT" for name in same.split())
    with pytest.raises(StackError) as refused:
        choose(Ports(events, highlights, kafka), {})
    assert str(refused.value) == f"{one} and {other} are both {port}; set one to another"


def test_ports_are_of_the_range_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each port once; without a free port there is an error."""
    monkeypatch.setenv(RANGE, "31990-31999")
    given = [free_port() for _ in range(3)]
    assert len(set(given)) == 3
    assert set(given) <= set(range(31990, 32000))
    monkeypatch.setenv(RANGE, f"{given[0]}-{given[0]}")
    with pytest.raises(StackError, match=f"no port of {given[0]}-{given[0]} is free"):
        free_port()


def test_parallel_workers_and_their_processes_never_choose_the_same_port() -> None:
    """The parts of the range do not overlap; a process without the variable gets it too."""
    parts = [part(number, 3) for number in range(3)]
    assert parts == ["10000-17332", "17333-24665", "24666-31998"]
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    printed = subprocess.run([sys.executable, "-c", show], env={}, capture_output=True, check=True)
    assert json.loads(printed.stdout).get(RANGE) == os.environ.get(RANGE)
