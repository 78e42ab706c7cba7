"""What is open, and to whom; what a container may do, and what it knows."""

import json

import httpx
import pytest

from tests.e2e.containers import FUNCTIONS, LASTING, SERVICES, TOOLS, Containers

OURS = (*FUNCTIONS, *TOOLS)
REACH = """
import socket, sys
for host in sys.argv[1:]:
    for port in (8080, 5432, 6379, 9092):
        try:
            socket.create_connection((host, port), timeout=0.5)
            print("reached", host, port)
        except OSError:
            pass
"""


def test_only_the_gateway_has_ports_and_only_on_this_machine(containers: Containers) -> None:
    """Two of them; no other container publishes any."""
    published = {
        service: sorted(
            (container["HostIp"], port)
            for port, bindings in containers.inspect(service)["NetworkSettings"]["Ports"].items()
            for container in bindings or []
        )
        for service in LASTING
    }
    assert published.pop("gateway") == [("127.0.0.1", "5001/tcp"), ("127.0.0.1", "5002/tcp")]
    assert not any(published.values())


def test_who_stands_where_the_gateway_stands_reaches_nothing_behind_it(
    containers: Containers,
) -> None:
    """From the network that the outside sees, no function and no service answers."""
    behind = [
        network["IPAddress"]
        for service in (*FUNCTIONS, *SERVICES)
        for network in containers.inspect(service)["NetworkSettings"]["Networks"].values()
    ]
    said = containers.docker(
        "run", "--rm", "--network", f"{containers.name}_outside",
        "goalstream-functions:e2e", "python", "-c", REACH, *behind, *FUNCTIONS,
    )  # fmt: skip
    assert said == ""


@pytest.mark.parametrize("path", ["/", "/consume-goal", "/enrich-batch", "/consume_goal"])
def test_the_functions_of_the_inside_are_not_routed(
    containers: Containers, http: httpx.Client, path: str
) -> None:
    """Nothing that is posted to the gateway reaches them."""
    for url in (containers.events_url, containers.highlights_url):
        assert http.post(url + path, json={}).status_code in (302, 404, 405)


@pytest.mark.parametrize("service", OURS)
def test_our_processes_are_nobody_and_can_write_nowhere_but_tmp(
    containers: Containers, service: str
) -> None:
    """No root, no capability, none to gain, and a file system that stays as it is."""
    status = containers.run_in(service, "cat", "/proc/1/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(facts["Uid"].split()) == {"10001"}
    assert {int(facts[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {0}
    assert facts["NoNewPrivs"] == "1"
    tried = "touch /app/x /srv/x /etc/x /x 2>&1; touch /tmp/x && echo tmp"
    said = containers.run_in(service, "sh", "-c", tried).splitlines()
    assert said[-1] == "tmp"
    assert len(said) == 5


def test_no_secret_shows(containers: Containers) -> None:
    """Not in what Docker tells of a container or an image, nor in a process' arguments."""
    secret = containers.password
    for service in LASTING:
        container = containers.id(service)
        told = containers.docker("inspect", container)
        image = json.loads(told)[0]["Image"]
        told += containers.docker("history", "--no-trunc", image)
        told += containers.docker("image", "inspect", image)
        told += containers.docker("top", container, "-eo", "pid,args")
        told += containers.docker("logs", container)
        assert secret not in told


def test_no_secret_is_in_an_image(containers: Containers) -> None:
    """The files for local use stay outside."""
    look = "find /app /srv -type d -name secrets 2>/dev/null; true"
    for image in ("functions", "tools", "gateway"):
        assert containers.docker("run", "--rm", f"goalstream-{image}:e2e", "sh", "-c", look) == ""


def test_no_pip_cache_and_no_compiler_is_in_an_image(containers: Containers) -> None:
    """What only builds is not shipped."""
    look = "command -v gcc cc make; ls -d /root/.cache /tmp/.cache /build 2>/dev/null; true"
    for image in ("functions", "tools", "gateway"):
        assert containers.docker("run", "--rm", f"goalstream-{image}:e2e", "sh", "-c", look) == ""
