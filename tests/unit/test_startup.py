"""The set-up of a function's process."""

import subprocess
import sys

SET_UP = """
import gc, logging
from functions.shared.http.startup import configure_process
from functions.shared.http.settings import HttpSettings
assert gc.get_freeze_count() == 0
configure_process("a-function", HttpSettings())
print(gc.get_freeze_count() > len(gc.get_objects()), gc.isenabled(), gc.get_threshold()[0])
logging.info("hello")
"""


def test_modules_are_frozen_and_logs_are_configured() -> None:
    """The garbage collector stays enabled, for the cycles of requests."""
    done = subprocess.run(
        [sys.executable, "-c", SET_UP], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "True", "10000"]
    assert '"service":"a-function"' in done.stderr
