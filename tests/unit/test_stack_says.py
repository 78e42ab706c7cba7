"""What the local stack prints, when nobody reads it any more."""

import os
import subprocess
import sys

from local.stack import ROOT

SAYS = (
    "from local.process.console import stdout_console;"
    " print_line = stdout_console().print_line; [print_line('a line') for _ in range(3)]"
)


def test_it_goes_on_though_its_reader_has_gone() -> None:
    """As after `make up | head`: it is a supervisor's thread that prints, and has to go on."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", SAYS], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
