"""Standard output whose reader, such as `head`, may go away."""

import os
import sys


def discard_stdout() -> None:
    """Send all further output to the null device, so that the flush at exit does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
