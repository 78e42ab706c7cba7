"""Isolation of the containers: ports, networks, permissions and secrets."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from infra.roles import READER, WRITER
from tests.support.drivers.containers import (
    FUNCTIONS,
    LASTING,
    REACHABLE,
    SECRETS,
    SERVICES,
    TOOLS,
    Containers,
)

OURS = (*FUNCTIONS, *TOOLS)
PORTS = {"gateway": 5001, "kafka": 9092, "postgres": 5432, "redis": 6379}
REACH = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor
def reached(place):
    name, host, port = place.split()
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
        return name
    except OSError:
        return None
with ThreadPoolExecutor(64) as pool:
    print(*{name for name in pool.map(reached, sys.argv[1:]) if name})
"""
LOG_IN = """
import sys
from functions.shared.postgres.connection import connect_with
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import load
connection = connect_with(load(PostgresSettings))
print(connection.run("SELECT current_user")[0][0])
for statement in sys.argv[1:]:
    try:
        connection.run("BEGIN; " + statement)
        print("done")
    except Exception as error:
        print(error.args[0]["C"])
    connection.run("ROLLBACK")
"""
STATEMENTS = ("UPDATE highlights SET title = 'x'", "DELETE FROM highlights", "CREATE TABLE x ()")


def test_only_the_gateway_has_ports_and_only_on_this_machine(containers: Containers) -> None:
    """It publishes two ports; no other container publishes any."""
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


def test_nothing_is_reachable_from_the_outer_network_of_the_gateway(
    containers: Containers,
) -> None:
    """From the gateway's outer network no function and no service can be reached."""
    behind = [
        network["IPAddress"]
        for service in (*FUNCTIONS, *SERVICES)
        for network in containers.inspect(service)["NetworkSettings"]["Networks"].values()
    ]
    places = [
        f"{host} {host} {port}"
        for host in (*behind, *FUNCTIONS)
        for port in (8080, *PORTS.values())
    ]
    output = containers.docker(
        "run", "--rm", "--network", f"{containers.name}_outside",
        containers.image("ingest-event"), "python", "-c", REACH, *places,
    )  # fmt: skip
    assert output.strip() == ""


def test_a_container_reaches_what_it_needs_and_nothing_else(containers: Containers) -> None:
    """Tested at every address of the others, on every network."""
    addresses = [
        (name, network["IPAddress"])
        for name in LASTING
        for network in containers.inspect(name)["NetworkSettings"]["Networks"].values()
    ]

    def reached_by(service: str) -> set[str]:
        places = [
            f"{name} {address} {PORTS.get(name, 8080)}"
            for name, address in addresses
            if name != service
        ]
        return set(containers.run_in(service, "python", "-c", REACH, *places).split())

    with ThreadPoolExecutor() as threads:
        assert dict(zip(OURS, threads.map(reached_by, OURS), strict=True)) == REACHABLE


def test_a_function_has_a_postgres_role_with_least_privileges(containers: Containers) -> None:
    """It reads, or also changes highlights; it cannot delete rows or create tables."""
    output = {
        service: containers.run_in(service, "python", "-c", LOG_IN, *STATEMENTS).split()
        for service in FUNCTIONS
        if service != "ingest-event"
    }
    assert output == {
        "list-highlights": [READER, "42501", "42501", "42501"],
        "get-highlight": [READER, "42501", "42501", "42501"],
        "stream-highlights": [READER, "42501", "42501", "42501"],
        "consume-goal": [WRITER, "done", "42501", "42501"],
        "enrich-batch": [WRITER, "done", "42501", "42501"],
    }


def test_redis_requires_a_password_except_for_its_health_check(
    containers: Containers,
) -> None:
    """The functions' user may access its own keys only."""

    def answer(*arguments: str) -> str:
        asked = ("redis-cli", "--no-auth-warning", *arguments)
        return containers.run_in("redis", "sh", "-c", '"$@" 2>&1', "sh", *asked).strip()

    health = ("--user", "health", "--pass", "none")
    assert answer("ping").startswith("NOAUTH")
    assert answer(*health, "ping") == "PONG"
    assert answer(*health, "get", "goalstream:x").startswith("NOPERM")
    wrong = answer("--user", "goalstream", "--pass", "none", "ping")
    assert "WRONGPASS" in wrong
    right = ("--user", "goalstream", "--pass", containers.secret("redis_password"))
    assert answer(*right, "exists", "goalstream:x") == "0"
    assert answer(*right, "exists", "x").startswith("NOPERM")
    assert answer(*right, "flushall").startswith("NOPERM")


@pytest.mark.parametrize("path", ["/", "/consume-goal", "/enrich-batch", "/consume_goal"])
def test_the_functions_of_the_inside_are_not_routed(
    containers: Containers, http: httpx.Client, path: str
) -> None:
    """No request to the gateway reaches them."""
    for url in (containers.events_url, containers.highlights_url):
        assert http.post(url + path, json={}).status_code in (302, 404, 405)


@pytest.mark.parametrize("service", OURS)
def test_our_processes_are_unprivileged_and_can_write_only_to_tmp(
    containers: Containers, service: str
) -> None:
    """They run without root, without capabilities, and with a read-only file system."""
    status = containers.run_in(service, "cat", "/proc/1/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(facts["Uid"].split()) == {"10001"}
    assert {int(facts[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {0}
    assert facts["NoNewPrivs"] == "1"
    tried = "touch /app/x /srv/x /etc/x /x 2>&1; touch /tmp/x && echo tmp"
    output = containers.run_in(service, "sh", "-c", tried).splitlines()
    assert output[-1] == "tmp"
    assert len(output) == 5


def test_no_secret_is_visible(containers: Containers) -> None:
    """Neither in `docker inspect` of a container or an image, nor in a process' arguments."""
    secrets = [containers.secret(name) for name in SECRETS]
    for service in LASTING:
        container = containers.id(service)
        output = containers.docker("inspect", container)
        image = json.loads(output)[0]["Image"]
        output += containers.docker("history", "--no-trunc", image)
        output += containers.docker("image", "inspect", image)
        output += containers.docker("top", container, "-eo", "pid,args")
        output += containers.docker("logs", container)
        assert not any(secret in output for secret in secrets)


def test_no_secret_is_in_an_image(containers: Containers) -> None:
    """Files for local use are not copied into it."""
    look = "find /app /srv -type d -name secrets 2>/dev/null; true"
    for service in ("ingest-event", "kafka-trigger", "gateway"):
        assert containers.docker("run", "--rm", containers.image(service), "sh", "-c", look) == ""


def test_no_pip_cache_and_no_compiler_is_in_an_image(containers: Containers) -> None:
    """Build tools are not shipped."""
    look = "command -v gcc cc make; ls -d /root/.cache /tmp/.cache /build 2>/dev/null; true"
    for service in ("ingest-event", "kafka-trigger", "gateway"):
        assert containers.docker("run", "--rm", containers.image(service), "sh", "-c", look) == ""
