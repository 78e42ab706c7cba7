"""A function's process, once all is imported."""

import subprocess
import sys

LOOK = """
import gc, logging
from functions.shared.http import server
from functions.shared.http.settings import HttpSettings
assert gc.get_freeze_count() == 0
server.configure("a-function", HttpSettings())
print(gc.get_freeze_count() > len(gc.get_objects()), gc.isenabled(), gc.get_threshold()[0])
logging.info("hello")
"""


def test_the_collector_leaves_alone_what_was_imported() -> None:
    """It stays on, for the cycles of requests; the process' log is that of the function."""
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "10000"]
    assert '"service":"a-function"' in done.stderr
