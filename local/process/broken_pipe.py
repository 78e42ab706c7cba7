"""What is done when nobody reads standard output any more."""

import os
import sys


def fall_silent() -> None:
    """Who read standard output, such as `head`, has gone: say nothing more, at exit neither."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
