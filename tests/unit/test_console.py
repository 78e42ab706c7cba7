"""Printing after the reader of standard output has gone."""

import os
import subprocess
import sys

from local.stack import ROOT

PRINTS = (
    "from local.process.console import stdout_console;"
    " print_line = stdout_console().print_line; [print_line('a line') for _ in range(3)]"
)


def test_printing_continues_after_the_reader_has_closed_the_pipe() -> None:
    """As after `make up | head`: a supervisor's thread prints, and has to continue."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", PRINTS],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
