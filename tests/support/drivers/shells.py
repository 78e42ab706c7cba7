"""Commands of the documentation, pasted into a shell."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.stack import ROOT
from tests.support.pages import README

# A shell on its terminal, but for the terminal; and what README has a reader say first.
SHELLS = {
    "bash": (("--norc", "--noprofile", "-i"), ""),
    "zsh": (("-f", "-i"), "setopt interactive_comments\n"),
}

in_each_shell = pytest.mark.parametrize("shell", SHELLS)


def pasted(
    shell: str, text: str, environ: Mapping[str, str], folder: Path = ROOT
) -> "subprocess.CompletedProcess[str]":
    """Paste lines into an interactive shell; skip the test where it is not installed."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    options, first = SHELLS[shell]
    assert first.strip() in README
    return subprocess.run(
        [program, *options],
        input=f"{first}{text}\nexit $?\n",
        env={**environ, "PS1": "", "PS2": "", "TERM": "dumb", "HISTFILE": ""},
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        start_new_session=True,  # it would take over the terminal of the tests
    )
