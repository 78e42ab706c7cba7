"""A checkout of the project in a folder of any name, as on a developer's laptop."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.stack import ROOT
from local.stack.ports import free_port

LIMIT_S = 90


@dataclass(frozen=True)
class Checkout:
    """A folder with the committed files, and the environment variables of its user."""

    folder: Path
    environ: Mapping[str, str]

    def run(self, *command: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=LIMIT_S,
            check=False,
        )

    @contextmanager
    def up(self) -> Iterator[str]:
        """Run `make up` during the block; yield its output until it is up or has failed."""
        with subprocess.Popen(
            ["/usr/bin/env", "make", "up"],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as stack:
            assert stack.stdout is not None
            lines = []
            for line in stack.stdout:
                lines.append(line)
                if line.lstrip().startswith("state "):
                    break
            try:
                yield "".join(lines)
            finally:
                os.killpg(stack.pid, signal.SIGINT)
                stack.communicate(timeout=LIMIT_S)


def check_out(folder: Path, environ: Mapping[str, str | None]) -> Checkout:
    """Copy all files that git tracks or would add to a folder, and link the installed packages.

    The environment is that of this process, with free ports and `environ`, in which None unsets a
    variable.
    """
    git = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    installed = folder / ".venv"
    installed.mkdir()
    for part in ("bin", "lib", "pyvenv.cfg"):
        (installed / part).symlink_to(Path(sys.prefix) / part)
    for part in ("cloudevents-sdk/installed", "installed"):
        (installed / part).parent.mkdir(exist_ok=True)
        (installed / part).touch()
    ports = {f"GOALSTREAM_{name}_PORT": str(free_port()) for name in ("EVENTS", "HIGHLIGHTS")}
    ports["GOALSTREAM_KAFKA_PORT"] = "0"
    make, proxies = ("MAKEFLAGS", "MAKELEVEL"), ("no_proxy", "NO_PROXY")
    unset = (*make, *proxies, "KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL")
    wanted = {**os.environ, **dict.fromkeys(unset), **ports, **environ}
    return Checkout(folder, {name: value for name, value in wanted.items() if value is not None})


def url(output: str, name: str) -> str:
    """Return the URL of the events or the highlights in the output of `make up`."""
    found = re.search(rf"^ +{name} +(http://[^/]+)", output, re.MULTILINE)
    assert found, output
    return found[1]
